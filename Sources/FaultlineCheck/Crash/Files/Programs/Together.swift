import Faultline
import FaultlineFS

/// Programs in which two mappings, or two threads, meet in one file.
extension FileProgram {
  static let twoSizes = FileProgram(
    name: "two-sizes", summary: "one mapping has 2 MiB by one entry, another has a page of them", pageCount: 1536
  ) { stage in
    let file = try stage.create("a")
    let open = try file.open
    let zeroes = [UInt8](repeating: 0, count: 512 << Int(PageSize.shift))
    try zeroes.withUnsafeBytes { try open.write(at: 0, $0) }
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let whole = try stage.map(file, pages: 0..<512, synchronous: false)
    let part = try stage.map(file, pages: 4..<8, synchronous: false)
    stage.store(whole, at: byte(page: 5, word: 1))
    stage.store(part, at: byte(page: 5, word: 2))
    try stage.fsync(file)
    stage.store(part, at: byte(page: 5, word: 3))
    try stage.fsync(file)
    stage.store(part, at: byte(page: 6, word: 1))
    try stage.msync(whole, pages: 6..<7)
    let synchronous = try stage.map(file, pages: 0..<512, synchronous: true)
    try stage.persist(synchronous, at: byte(page: 511, word: 511))
    try stage.persist(synchronous, at: byte(page: 5, word: 1))
  }

  static let racingSync = FileProgram(
    name: "racing-sync", summary: "a fault on a page comes while another thread's fsync commits that page's block"
  ) { stage in
    let file = try stage.create("a")
    try stage.write(file, at: 0, words: 1)
    try stage.resize(file, to: byte(page: 6))
    try stage.fsync(file)
  } run: { stage in
    let file = try stage.file("a")
    let plain = try stage.map(file, pages: 0..<6, synchronous: false)
    let synchronous = try stage.map(file, pages: 0..<6, synchronous: true)
    for (page, step) in [(3, "copies"), (4, "record")] as [(UInt64, String)] {
      stage.store(plain, at: byte(page: page, word: 1))
      try stage.interleave(file, at: step) {
        try stage.fsync(file)
      } with: {
        _ = try? stage.persist(synchronous, at: byte(page: page, word: 2))
      }
    }
    try stage.persist(synchronous, at: byte(page: 5))
  }
}
