import Faultline
import FaultlineFS

/// Programs that store to files, by calls and through mappings.
extension FileProgram {
  static let append = FileProgram(
    name: "append", summary: "a file grows by writes and syncs, then through a mapping"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 3)
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    try stage.write(file, at: byte(page: 0, word: 509), words: 6)
    try stage.fsync(file)
    try stage.write(file, at: byte(page: 1, word: 3), words: 2)
    try stage.fdatasync(file)
    try stage.write(file, at: byte(page: 2), words: 1)
    let other = try stage.create("b")
    try stage.write(other, at: 0, words: 2)
    try stage.fsync(other)
    try stage.resize(file, to: byte(page: 5))
    let mapping = try stage.map(file, pages: 0..<5, synchronous: true)
    try stage.persist(mapping, at: byte(page: 3, word: 1))
    try stage.persist(mapping, at: byte(page: 4, word: 511))
  }

  static let overwrite = FileProgram(
    name: "overwrite", summary: "what was written is written again, by writes and through mappings"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 8)
    try stage.write(file, at: byte(page: 1), words: 8)
    try stage.write(file, at: byte(page: 2), words: 8)
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    try stage.write(file, at: 16, words: 3)
    try stage.fdatasync(file)
    let plain = try stage.map(file, pages: 0..<3, synchronous: false)
    stage.store(plain, at: byte(page: 1, word: 1))
    stage.store(plain, at: byte(page: 2, word: 7))
    try stage.msync(plain, pages: 1..<3)
    stage.store(plain, at: byte(page: 1, word: 2))
    try stage.msync(plain, pages: 1..<2)
    let synchronous = try stage.map(file, pages: 0..<3, synchronous: true)
    try stage.persist(synchronous, at: byte(page: 0, word: 5))
    try stage.persist(synchronous, at: byte(page: 0, word: 5))
    stage.store(synchronous, at: byte(page: 2, word: 3))
    try stage.fsync(file)
  }

  static let sparseFill = FileProgram(
    name: "sparse", summary: "the holes of a sparse file are filled through mappings, page by page"
  ) { stage in
    let file = try stage.create("a")
    try stage.resize(file, to: byte(page: 8))
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<8, synchronous: true)
    for page: UInt64 in [5, 2, 7] {
      try stage.persist(mapping, at: byte(page: page))
      try stage.persist(mapping, at: byte(page: page, word: 9))
    }
    let plain = try stage.map(file, pages: 0..<8, synchronous: false)
    stage.store(plain, at: byte(page: 3))
    try stage.persist(mapping, at: byte(page: 2, word: 1))
    stage.store(plain, at: byte(page: 4))
    try stage.msync(plain, pages: 3..<5)
  }

  static let fallocate = FileProgram(
    name: "fallocate", summary: "blocks are set aside first and stored to later, inside and behind the file's end"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 2)
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    try stage.allocate(file, pages: 1..<20)
    try stage.fsync(file)
    let mapping = try stage.map(file, pages: 0..<20, synchronous: true)
    try stage.persist(mapping, at: byte(page: 10, word: 3))
    try stage.persist(mapping, at: byte(page: 1))
    try stage.persist(mapping, at: byte(page: 19, word: 511))
    let other = try stage.create("b")
    try stage.allocate(other, pages: 0..<4, keepSize: true)
    try stage.write(other, at: 0, words: 2)
    try stage.fdatasync(other)
    try stage.write(other, at: byte(page: 2), words: 1)
    try stage.fsync(other)
  }

  static let readFirst = FileProgram(
    name: "read-first", summary: "pages are loaded while they are holes, unwritten or clean, and stored to later"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 2)
    try stage.resize(file, to: byte(page: 8))
    try stage.allocate(file, pages: 4..<6)
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let mapping = try stage.map(file, pages: 0..<8, synchronous: true)
    let reader = try stage.map(file, pages: 0..<8, synchronous: false)
    for page in 0..<8 as Range<UInt64> {
      _ = stage.load(mapping, at: byte(page: page))
      _ = stage.load(reader, at: byte(page: page))
    }
    for page: UInt64 in [0, 4, 2, 7] {
      try stage.persist(mapping, at: byte(page: page, word: 1))
      let offset = byte(page: page, word: 1)
      try stage.expect(stage.load(reader, at: offset) == stage.load(mapping, at: offset), "two mappings show two words")
    }
    stage.store(reader, at: byte(page: 4, word: 2))
    try stage.fsync(file)
  }
}
