#if ModelCheck

  /// The words that one execution has used: a number for each address, and who loaded and changed it last.
  ///
  /// An open hash table that is emptied by raising a generation, for it is emptied before every execution.
  struct WordTable {
    static let maximumProcessors = 4

    struct Word {
      var address: UInt = 0
      var generation: UInt32 = 0
      var number: Int32 = 0
      /// For each processor, the step after its last load, or after its last change; 0 for none.
      var loaded = InlineArray<4, Int32>(repeating: 0)
      var changed = InlineArray<4, Int32>(repeating: 0)
    }

    private var slots: [Word]
    private var generation: UInt32 = 0
    private(set) var addresses: [UInt] = []

    init() { slots = Array(repeating: Word(), count: 1 << 12) }

    mutating func removeAll() {
      generation &+= 1
      addresses.removeAll(keepingCapacity: true)
    }

    /// The slot of an address, which gets the next number when it is new.
    mutating func slot(of address: UInt) -> Int {
      if addresses.count * 2 > slots.count { grow() }
      let mask = slots.count - 1
      var slot = Int(truncatingIfNeeded: (address >> 3) &* 0x9e37_79b9_7f4a_7c15 >> 32) & mask
      while slots[slot].generation == generation {
        if slots[slot].address == address { return slot }
        slot = (slot + 1) & mask
      }
      slots[slot] = Word(address: address, generation: generation, number: Int32(addresses.count))
      addresses.append(address)
      return slot
    }

    subscript(slot: Int) -> Word {
      _read { yield slots[slot] }
      _modify { yield &slots[slot] }
    }

    private mutating func grow() {
      let old = slots.filter { $0.generation == generation }
      slots = Array(repeating: Word(), count: slots.count * 2)
      let mask = slots.count - 1
      for word in old {
        var slot = Int(truncatingIfNeeded: (word.address >> 3) &* 0x9e37_79b9_7f4a_7c15 >> 32) & mask
        while slots[slot].generation == generation { slot = (slot + 1) & mask }
        slots[slot] = word
      }
    }
  }

#endif
