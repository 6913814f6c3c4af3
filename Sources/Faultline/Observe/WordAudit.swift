#if ModelCheck

  /// Names for shared words, for whoever tells what threads did to them.
  extension Machine {
    /// The words of areas, files and address spaces that exist now. Call it while nothing else runs.
    package func auditWords() -> [(words: Range<UInt>, name: String)] {
      var found: [(words: Range<UInt>, name: String)] = []
      func add(_ address: UInt, _ name: String) { found.append((address..<address + 8, name)) }
      for (number, space) in census.allSpaces.enumerated() {
        add(Self.address(of: space.lock), "lock of space \(number)")
        add(Self.address(of: space.sequence), "change sequence of space \(number)")
        add(Self.address(of: space.areas), "root of the area tree of space \(number)")
        space.areas.forEach { area in
          let name = "of area \(area.pages.lowerBound)..<\(area.pages.upperBound)"
          add(Self.address(of: area.pointee.readers), "reader count \(name)")
          add(Self.address(of: area.pointee.changeSequence), "change sequence \(name)")
          add(Self.address(of: area.pointee.start), "start \(name)")
          add(Self.address(of: area.pointee.end), "end \(name)")
          add(Self.address(of: area.pointee.flagWord), "flags \(name)")
          add(Self.address(of: area.pointee.filePage), "file page \(name)")
          add(Self.address(of: area.pointee.entryPermissions), "permissions \(name)")
          add(Self.address(of: area.pointee.privateFamily), "private family \(name)")
        }
        space.table.auditLeaves { leaf, firstPage in
          let entries = UInt(bitPattern: leaf.entries)
          for slot in 0..<UInt(512) { add(entries + slot * 8, "entry of page \(firstPage + UInt64(slot)), space \(number)") }
          add(UInt(bitPattern: space.table.lock(of: leaf)), "lock of the table of page \(firstPage), space \(number)")
        }
      }
      for (number, file) in census.allFiles.enumerated() {
        add(Self.address(of: file.cache.pointee.slots), "cache root of file \(number)")
        add(Self.address(of: file.cache.pointee.slotLock), "slot lock of file \(number)")
        add(Self.address(of: file.cache.pointee.size), "size of file \(number)")
        add(Self.address(of: file.cache.pointee.pageCount), "cached pages of file \(number)")
        add(Self.address(of: file.cache.pointee.contentLock), "content lock of file \(number)")
        file.auditNodes { node in
          let words = UInt(bitPattern: node.words)
          found.append((words..<words + UInt(XArrayNode.wordCount) * 8, "cache node of file \(number)"))
        }
      }
      add(Self.address(of: memory.lock), "lock of the frame allocator")
      return found
    }

    /// A word of a frame; `nil` for any other.
    package func auditName(ofWordAt address: UInt) -> String? {
      let first = UInt(bitPattern: memory.frames)
      let stride = UInt(MemoryLayout<Frame>.stride)
      guard address >= first, address < first + UInt(memory.frameCount) * stride else { return nil }
      let fields = ["life", "flags", "mapping", "index", "next", "previous", "head", "owner"]
      return "\(fields[Int((address - first) % stride / 8)]) of frame \((address - first) / stride)"
    }

    private static func address<Part: ~Copyable>(of part: borrowing Part) -> UInt {
      withUnsafePointer(to: part) { UInt(bitPattern: $0) }
    }
  }

  extension PageTable {
    fileprivate func auditLeaves(_ body: (_ leaf: Table, _ firstPage: UInt64) -> Void) {
      func visit(_ table: Table, level: UInt64, firstPage: UInt64) {
        if level == 0 { return body(table, firstPage) }
        for slot in 0..<512 {
          guard let child = Self.child(table.entries[slot].load(ordering: .relaxed)) else { continue }
          visit(child, level: level - 1, firstPage: firstPage + UInt64(slot) << (9 * level))
        }
      }
      visit(root, level: 3, firstPage: 0)
    }
  }

  extension FileNode {
    fileprivate func auditNodes(_ body: (XArrayNode) -> Void) {
      func visit(_ entry: UInt64) {
        guard let node = XArrayNode(entry: entry) else { return }
        body(node)
        for slot in 0..<64 { visit(node.slot(slot).pointee.load(ordering: .relaxed)) }
      }
      visit(cache.pointee.slots.load(ordering: .relaxed))
    }
  }

#endif
