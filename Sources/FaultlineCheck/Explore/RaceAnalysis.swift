#if ModelCheck

  /// Finds the pairs of operations of an execution that could have come in the other order.
  ///
  /// Each processor has a clock: the last step of every processor that is ordered before its own next one, through its own
  /// earlier steps and through words that one changed and the other used.
  struct RaceAnalysis {
    private typealias Clock = InlineArray<4, Int32>

    private struct WordHistory {
      var lastLoad = InlineArray<4, Int32>(repeating: -1)
      var lastChange = InlineArray<4, Int32>(repeating: -1)
      /// What is ordered before whoever comes after all changes, and after all uses.
      var changes = InlineArray<4, Int32>(repeating: -1)
      var uses = InlineArray<4, Int32>(repeating: -1)
    }

    private var histories: [WordHistory] = []

    /// The earlier step of each race and the processor of the later.
    private(set) var found: [(step: Int, thread: Int)] = []

    mutating func find(in steps: [Step]) {
      found.removeAll(keepingCapacity: true)
      histories.removeAll(keepingCapacity: true)
      var clocks = InlineArray<4, InlineArray<4, Int32>>(repeating: InlineArray<4, Int32>(repeating: -1))
      for (number, step) in steps.enumerated() {
        let thread = Int(step.thread)
        if step.word >= 0, step.kind != .spin {
          let word = Int(step.word)
          while histories.count <= word { histories.append(WordHistory()) }
          for other in 0..<4 where other != thread {
            let change = histories[word].lastChange[other]
            let last = step.isChange ? max(change, histories[word].lastLoad[other]) : change
            if last > clocks[thread][other] { found.append((Int(last), thread)) }
          }
          Self.join(&clocks[thread], step.isChange ? histories[word].uses : histories[word].changes)
          clocks[thread][thread] = Int32(number)
          Self.join(&histories[word].uses, clocks[thread])
          if step.isChange {
            Self.join(&histories[word].changes, clocks[thread])
            histories[word].lastChange[thread] = Int32(number)
          } else {
            histories[word].lastLoad[thread] = Int32(number)
          }
        } else {
          clocks[thread][thread] = Int32(number)
        }
      }
    }

    private static func join(_ clock: inout Clock, _ other: Clock) {
      for thread in 0..<4 { clock[thread] = max(clock[thread], other[thread]) }
    }
  }

#endif
