#if ModelCheck

  /// All executions within a number of preemptions, but of those that differ only in the order of independent operations
  /// just one.
  ///
  /// After each execution every pair of operations on one word, of which one changed it and which nothing orders, leaves a
  /// mark where the later processor could have come first, and another at the beginning of the turn that this would cut,
  /// where the switch costs no preemption. Unexplored marks are taken from the deepest on.
  ///
  /// Source: Coons, Musuvathi and McKinley, Bounded partial-order reduction, 2013, on Flanagan and Godefroid, Dynamic
  /// partial-order reduction, 2005. Without sleep sets, which a preemption bound makes unsound.
  struct DepthFirstSearch {
    /// A decision on the way that was taken last.
    private struct Node {
      let enabled: ProcessorSet
      /// The processor that ran before; at the first decision none.
      let before: UInt8
      /// Preemptions up to here.
      let preemptions: UInt8
      var chosen: UInt8
      var wanted: ProcessorSet
      var tried: ProcessorSet

      /// What it costs to go on with another processor.
      func cost(of thread: Int) -> Int {
        Int(before) != thread && enabled & (1 << before) != 0 ? 1 : 0
      }
    }

    let bound: Int
    /// Whether orders of independent operations are left out. A test turns this off, to see that nothing is lost by it.
    let reduces: Bool
    private var nodes: [Node] = []
    private var races = RaceAnalysis()
    /// Decisions that were ever taken: the states that were visited.
    private(set) var states = 0

    init(bound: Int, reduces: Bool = true) {
      self.bound = bound
      self.reduces = reduces
    }

    /// The choices of the next execution.
    var prefix: [UInt8] { nodes.map(\.chosen) }

    /// Takes in an execution that followed ``prefix``.
    ///
    /// - Returns: whether another one is left.
    mutating func advance(past steps: [Step]) -> Bool {
      extend(by: steps)
      if reduces {
        races.find(in: steps)
        for (step, thread) in races.found {
          want(thread, at: step)
          var turn = step
          while turn > 0, steps[turn - 1].thread == steps[turn].thread { turn -= 1 }
          if turn < step { want(thread, at: turn) }
        }
      }
      return backtrack()
    }

    private mutating func extend(by steps: [Step]) {
      for position in nodes.count..<max(nodes.count, steps.count) {
        let step = steps[position]
        var preemptions = 0
        if let last = nodes.last { preemptions = Int(last.preemptions) + last.cost(of: Int(last.chosen)) }
        let bit: ProcessorSet = 1 << step.thread
        nodes.append(
          Node(
            enabled: step.enabled, before: position > 0 ? steps[position - 1].thread : .max,
            preemptions: UInt8(clamping: preemptions), chosen: step.thread, wanted: reduces ? bit : step.enabled,
            tried: bit))
        states += 1
      }
    }

    private mutating func want(_ thread: Int, at position: Int) {
      let bit: ProcessorSet = 1 << ProcessorSet(thread)
      nodes[position].wanted |= nodes[position].enabled & bit != 0 ? bit : nodes[position].enabled
    }

    private mutating func backtrack() -> Bool {
      while let node = nodes.last {
        var open = node.wanted & ~node.tried
        while open != 0 {
          let thread = open.trailingZeroBitCount
          let bit: ProcessorSet = 1 << ProcessorSet(thread)
          open &= ~bit
          nodes[nodes.count - 1].tried |= bit
          if Int(node.preemptions) + node.cost(of: thread) <= bound {
            nodes[nodes.count - 1].chosen = UInt8(thread)
            return true
          }
        }
        nodes.removeLast()
      }
      return false
    }
  }

#endif
