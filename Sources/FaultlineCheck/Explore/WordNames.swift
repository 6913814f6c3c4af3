#if ModelCheck

  import Faultline

  /// What words are called in stories: by the part that they have in the engine where one is known, else by number.
  struct WordNames {
    private let machine: Machine?
    private var objects: [(words: Range<UInt>, name: String)] = []

    /// Takes the names of what exists now; call it while no thread runs.
    init(_ machine: Machine?) {
      self.machine = machine
      add(machine)
    }

    /// Takes the names of what came since.
    mutating func add(_ machine: Machine?) {
      if let machine { objects += machine.auditWords() }
    }

    func name(of number: Int, in execution: UnsafeMutablePointer<Execution>) -> String {
      let address = execution.pointee.words.addresses[number]
      if let object = objects.first(where: { $0.words.contains(address) }) { return object.name }
      return machine?.auditName(ofWordAt: address) ?? "word \(number)"
    }
  }

#endif
