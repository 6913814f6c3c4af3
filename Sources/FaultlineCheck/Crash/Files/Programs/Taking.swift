import Faultline
import FaultlineFS

/// Programs that take blocks and names away, and in which others get them.
extension FileProgram {
  static let truncate = FileProgram(
    name: "truncate", summary: "a file is cut, punched and made longer again between faults; another gets its blocks"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 3)
    for page in 1..<5 as Range<UInt64> { try stage.write(file, at: byte(page: page), words: 3) }
    try stage.resize(file, to: byte(page: 5))
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<6, synchronous: true)
    try stage.persist(mapping, at: byte(page: 4, word: 100))
    try stage.resize(file, to: byte(page: 1, word: 1))
    let other = try stage.create("b")
    try stage.write(other, at: 0, words: 4)
    try stage.write(other, at: byte(page: 1), words: 4)
    try stage.fdatasync(other)
    try stage.resize(file, to: byte(page: 6))
    try stage.persist(mapping, at: byte(page: 4))
    try stage.persist(mapping, at: byte(page: 1, word: 2))
    try stage.punch(file, pages: 0..<2)
    try stage.write(other, at: byte(page: 2), words: 2)
    try stage.persist(mapping, at: byte(page: 1))
    try stage.fsync(file)
    try stage.fsync(other)
  }

  static let rename = FileProgram(
    name: "rename", summary: "a new version of a file takes its name, and another moves to a directory"
  ) { stage in
    try stage.fs.makeDirectory("d")
    let old = try stage.create("a")
    try stage.write(old, at: 0, words: 3)
    let moved = try stage.create("m")
    try stage.write(moved, at: 0, words: 1)
    try stage.fs.sync()
  } run: { stage in
    let new = try stage.create("t")
    try stage.write(new, at: 0, words: 5)
    try stage.fsync(new)
    try stage.syncDirectory("/")
    try stage.rename(new, to: "a")
    try stage.syncDirectory("/")
    let moved = try stage.file("m")
    try stage.rename(moved, to: "d/m")
    try stage.syncDirectory("d")
    try stage.syncDirectory("/")
    let mapping = try stage.map(new, pages: 0..<1, synchronous: true)
    try stage.persist(mapping, at: 8)
  }

  static let unlink = FileProgram(
    name: "unlink", summary: "a file is unlinked while it is mapped, and its blocks go to another when it is closed"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 3)
    try stage.resize(file, to: byte(page: 4))
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<4, synchronous: true)
    try stage.persist(mapping, at: byte(page: 1))
    try stage.unlink(file)
    try stage.persist(mapping, at: byte(page: 2))
    try stage.syncDirectory("/")
    try stage.persist(mapping, at: byte(page: 0, word: 1))
    try stage.close(file, mapping)
    let other = try stage.create("b")
    try stage.write(other, at: 0, words: 2)
    try stage.write(other, at: byte(page: 1), words: 2)
    try stage.fsync(other)
  }

  static let diskFull = FileProgram(
    name: "disk-full", summary: "stores to holes find no blocks until a file is unlinked", pageCount: 96
  ) { stage in
    let file = try stage.create("a")
    try stage.resize(file, to: byte(page: 16))
    let filler = try stage.create("f")
    try stage.allocate(filler, pages: 0..<stage.fs.statistics.freeBlocks - 12)
    try stage.write(filler, at: 0, words: 3)
    try stage.fs.sync()
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<16, synchronous: true)
    var signals = 0
    for page in 0..<14 as Range<UInt64> where try stage.persist(mapping, at: byte(page: page)) != nil { signals += 1 }
    try stage.expect(signals > 0, "the disk was never full")
    let filler = try stage.file("f")
    try stage.unlink(filler)
    try stage.close(filler)
    try stage.expect(
      stage.persist(mapping, at: byte(page: 15, word: 2)) == nil, "an unlinked file's blocks never came back")
    try stage.fsync(file)
  }

  static let remount = FileProgram(
    name: "remount", summary: "files are written after a recovery, where the log still holds what came before it",
    startsWithRecovery: true
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 1)
    try stage.fsync(file)
    for page in 1..<4 as Range<UInt64> {
      try stage.write(file, at: byte(page: page), words: 1)
      try stage.fsync(file)
    }
  } run: { stage in
    let file = try stage.file("a")
    try stage.resize(file, to: byte(page: 1))
    try stage.fsync(file)
    try stage.write(file, at: byte(page: 1), words: 2)
    try stage.fsync(file)
  }
}
