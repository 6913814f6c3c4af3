#if ModelCheck

  import Faultline

  /// One operation of one virtual processor, as it was made.
  struct Step {
    /// Words are numbered in the order in which an execution first uses them: addresses decide nothing.
    let word: Int32
    let thread: UInt8
    let kind: SchedulePoint.Kind
    /// The processors that could have gone on here, one bit each.
    let enabled: UInt8
    /// Whether the word had another value afterwards.
    var isChange: Bool

    /// The word of the step that starts a virtual processor.
    static let noWord: Int32 = -1
  }

  /// Virtual processors by number, one bit each.
  typealias ProcessorSet = UInt8

#endif
