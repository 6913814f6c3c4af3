import Faultline
import FaultlineFS

/// Programs whose synchronous stores prepare the pages around theirs.
extension FileProgram {
  static let sparseWindow = FileProgram(
    name: "sparse-window",
    summary: "stores to holes prepare their neighbours, and another file gets what was never used",
    syncWindowPages: 4
  ) { stage in
    let file = try stage.create("a")
    try stage.resize(file, to: byte(page: 12))
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<12, synchronous: true)
    let plain = try stage.map(file, pages: 0..<12, synchronous: false)
    _ = stage.load(plain, at: byte(page: 6))
    try stage.persist(mapping, at: byte(page: 5))
    let commits = stage.fs.statistics.commits
    try stage.persist(mapping, at: byte(page: 7, word: 9))
    try stage.expect(stage.fs.statistics.commits == commits, "a prepared page took a commit")
    try stage.expect(stage.load(plain, at: byte(page: 6)) == .success(0), "a prepared page shows something")
    stage.store(plain, at: byte(page: 4))
    try stage.persist(mapping, at: byte(page: 9))
    try stage.msync(plain, pages: 4..<5)
    try stage.space.munmap(plain.start, length: byte(page: 12))
    try stage.close(file, mapping)
    let other = try stage.create("b")
    try stage.write(other, at: 0, words: 3)
    try stage.write(other, at: byte(page: 1), words: 3)
    try stage.fsync(other)
  }

  static let diskFullWindow = FileProgram(
    name: "disk-full-window",
    summary: "stores prepare their neighbours until blocks run out, and give back what others need",
    pageCount: 96, syncWindowPages: 8
  ) { stage in
    let file = try stage.create("a")
    try stage.resize(file, to: byte(page: 32))
    let filler = try stage.create("f")
    try stage.allocate(filler, pages: 0..<stage.fs.statistics.freeBlocks - 20)
    try stage.write(filler, at: 0, words: 3)
    try stage.fs.sync()
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<32, synchronous: true)
    var signals = 0
    for page in [1, 9, 2, 17, 25, 18, 26, 19] as [UInt64] where try stage.persist(mapping, at: byte(page: page)) != nil
    {
      signals += 1
    }
    let other = try stage.create("b")
    try stage.write(other, at: 0, words: 2)
    try stage.write(other, at: byte(page: 2), words: 2)
    try stage.fsync(other)
    for page in 3..<9 as Range<UInt64> where try stage.persist(mapping, at: byte(page: page)) != nil { signals += 1 }
    for page in 27..<32 as Range<UInt64> where try stage.persist(mapping, at: byte(page: page)) != nil { signals += 1 }
    try stage.expect(signals > 0, "the disk was never full")
    try stage.fsync(file)
  }

  static let appendWindow = FileProgram(
    name: "append-window",
    summary: "a file is made longer and filled through a mapping, by windows that end where it ends",
    syncWindowPages: 8
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 3)
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<16, synchronous: true)
    try stage.resize(file, to: byte(page: 3))
    try stage.persist(mapping, at: byte(page: 1))
    try stage.resize(file, to: byte(page: 10))
    try stage.persist(mapping, at: byte(page: 2))
    try stage.persist(mapping, at: byte(page: 3, word: 7))
    try stage.resize(file, to: byte(page: 4))
    try stage.resize(file, to: byte(page: 6, word: 2))
    try stage.persist(mapping, at: byte(page: 5, word: 511))
    try stage.persist(mapping, at: byte(page: 6, word: 1))
    try stage.close(file, mapping)
  }
}
