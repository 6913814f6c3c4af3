/// What the program asks `mmap` for.
struct MapRequest {
  var file: Int
  /// See ``TraceMapping/openFile``.
  var openFile: Int
  /// The descriptor was opened for reading only.
  var isReadOnly: Bool
  var protection: TraceProtection
  /// The kernel's flags; the observer may change them.
  var flags: UInt64
}

/// What a tracer tells about the program that it runs.
///
/// `takeSamples`, `progress` and `save` may come from the sampler's thread, never at the same time as any other call. All others
/// come from the tracer's thread, with the thread of the program stopped, so that calls may be injected into it.
protocol TraceObserver: AnyObject {
  /// Set before the program starts.
  var tracer: Tracer? { get set }
  /// What a progress display shows.
  var progress: Int { get }
  /// Uses the samples that are there: when a thread has stopped, before anything is done about it, and now and then while all run.
  func takeSamples()
  /// Puts what there is where it survives the end of this process; called with `progress`.
  func save()
  func taskBegan(_ task: TracedTask)
  /// A thread has a new address space: `parent` is the space that it was copied from, nil after `execve`.
  func spaceBegan(_ space: TracedSpace, _ task: TracedTask, parent: TracedSpace?, program: String)
  /// The thread of a copied space stands at its first instruction.
  func spaceStarts(_ space: TracedSpace, _ task: TracedTask)
  /// The last look at a space whose last thread exits, or whose thread is about to call `execve`.
  func spaceEnds(_ space: TracedSpace, _ task: TracedTask)
  func spaceEnded(_ space: TracedSpace, _ task: TracedTask)
  /// The thread has run its last instruction; the kernel still knows it.
  func taskExits(_ task: TracedTask)
  func taskEnded(_ task: TracedTask, status: Int32)

  func willMap(_ request: inout MapRequest, _ task: TracedTask)
  func didMap(_ mapping: FileMapping, flags: UInt64, _ task: TracedTask)
  /// Pages of file mappings in the range lose their entries.
  func willDrop(_ range: Range<UInt64>, _ task: TracedTask)
  /// `unmapped`: the mappings are gone too, not only the entries.
  func didDrop(_ range: Range<UInt64>, unmapped: Bool, _ task: TracedTask)
  func didMove(_ old: Range<UInt64>, to new: Range<UInt64>, _ task: TracedTask)
  func didProtect(_ range: Range<UInt64>, _ protection: TraceProtection, _ task: TracedTask)
  /// False keeps the advice from the kernel; the program sees success.
  func willAdvise(_ range: Range<UInt64>, advice: Int, _ task: TracedTask) -> Bool
  func willLock(_ range: Range<UInt64>, _ how: TracePopulate, _ task: TracedTask)
  func willSync(_ range: Range<UInt64>, flags: Int, _ task: TracedTask)
  /// Advice, truncation and reads of files; `file` in the event is a number of the tracer's table.
  func fileEvent(_ event: TraceEvent, _ task: TracedTask)
  /// Whether requests to lock memory are kept from the kernel; the program sees success.
  var holdsBackLocks: Bool { get }
  /// Whether reads through descriptors of mapped files shall stop the program.
  var wantsFileReads: Bool { get }
}
