#if ModelCheck

  /// Names for shared words, for whoever tells what threads did to them.
  extension Machine {
    /// The words of areas, files and address spaces that exist now. Call it while nothing else runs.
    package func auditWords() -> [(words: Range<UInt>, name: String)] {
      var found: [(words: Range<UInt>, name: String)] = []
      func add(_ address: UInt, _ name: String) { found.append((address..<address + 8, name)) }
      for (number, space) in census.allSpaces.enumerated() {
        add(Self.address(of: space.lock), "lock of space \(number)")
        add(UInt(bitPattern: space.sequence), "change sequence of space \(number)")
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
        space.table.auditNames { address, name in add(address, "\(name), space \(number)") }
      }
      for (number, file) in census.allFiles.enumerated() {
        add(Self.address(of: file.cache.pointee.slots), "cache root of file \(number)")
        add(Self.address(of: file.cache.pointee.slotLock), "slot lock of file \(number)")
        add(Self.address(of: file.cache.pointee.size), "size of file \(number)")
        add(Self.address(of: file.cache.pointee.pageCount), "cached pages of file \(number)")
        add(Self.address(of: file.cache.pointee.contentLock), "content lock of file \(number)")
        add(Self.address(of: file.areasLock), "lock of the areas that map file \(number)")
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
    fileprivate func auditNames(_ body: (_ word: UInt, _ name: String) -> Void) {
      func visit(_ table: Table, level: UInt64, firstPage: UInt64) {
        let kind = level == 0 ? "table" : "level \(level) table"
        body(UInt(bitPattern: lock(of: table)), "lock of the \(kind) of page \(firstPage)")
        for slot in 0..<512 {
          let word = table.entries + slot
          let page = firstPage + UInt64(slot) << (9 * level)
          body(UInt(bitPattern: word), level == 0 ? "entry of page \(page)" : "level \(level) entry of page \(page)")
          if level > 0, let child = Self.child(word.pointee.load(ordering: .relaxed)) {
            visit(child, level: level - 1, firstPage: page)
          }
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
