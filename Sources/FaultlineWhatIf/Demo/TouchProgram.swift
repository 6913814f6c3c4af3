import CLinux
import Glibc

/// A program that maps a file and touches its pages: the built-in example, and what the tests record.
public enum TouchProgram {
  public static let usage = """
    usage: FILE [order=sequential|reverse|random|stride|skewed|interleaved|shuffled] [access=read|write] [share=shared|private]
           [open=read|write] [pages=N] [seed=N] [advice=N] [threads=N] [forks=N] [populate=1] [lock=1] [copy=N] [remap=1]
           [again=1] [early=N] [peek=1] [reads=N] [kill=SIGNAL]
    """

  /// Runs with the arguments behind the program's name; the exit code.
  public static func run(_ arguments: [String]) -> Int32 {
    guard let plan = Plan(arguments) else {
      complainAloud(usage)
      return 2
    }
    return plan.run()
  }
}

private struct Plan {
  private let path: String
  private var options: [String: String] = [:]
  private let order: TouchOrder

  init?(_ arguments: [String]) {
    guard let path = arguments.first else { return nil }
    self.path = path
    for argument in arguments.dropFirst() {
      let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2 else { return nil }
      options[parts[0]] = parts[1]
    }
    guard let order = TouchOrder(rawValue: options["order"] ?? "sequential") else { return nil }
    self.order = order
  }

  private func number(_ name: String, _ standard: Int = 0) -> Int { options[name].flatMap { Int($0) } ?? standard }

  func run() -> Int32 {
    let writes = options["access"] == "write"
    let shared = options["share"] != "private"
    if number("peek") == 1 {
      let other = open(path, O_RDONLY)
      readPage(other, 0, Int(getpagesize()))
      close(other)
    }
    let opensForWriting = options["open"] == "write" || (writes && shared)
    let descriptor = open(path, opensForWriting ? O_RDWR : O_RDONLY)
    guard descriptor >= 0 else { return complain("open") }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return complain("fstat") }
    let pageSize = Int(getpagesize())
    let pages = min(number("pages", .max), (Int(status.st_size) + pageSize - 1) / pageSize)
    guard pages > 0 else { return 0 }
    for index in 0..<number("early") { readPage(descriptor, 2 * index, pageSize) }

    let flags = (shared ? MAP_SHARED : MAP_PRIVATE) | (number("populate") == 1 ? MAP_POPULATE : 0)
    guard
      var base = mmap(nil, pages * pageSize, writes ? PROT_READ | PROT_WRITE : PROT_READ, flags, descriptor, 0),
      base != MAP_FAILED
    else { return complain("mmap") }
    if let advice = options["advice"].flatMap({ Int32($0) }) { _ = madvise(base, pages * pageSize, advice) }
    if number("lock") == 1 { mlock(base, pages * pageSize) }

    let copied = min(number("copy"), pages)
    if copied > 0, write(1, base, copied * pageSize) < 0 { return complain("write") }
    if options["order"] != nil || copied == 0 { touch(base, pages, pageSize, writes: writes) }
    if number("remap") == 1 {
      guard let moved = cl_move_mapping(base, pages * pageSize) else { return complain("mremap") }
      base = moved
    }
    for _ in 0..<number("forks") {
      if !forkAndTouch(base, pages, pageSize, writes: writes) { return complain("fork") }
    }
    if number("again") == 1 { touch(base, pages, pageSize, writes: writes) }
    for index in 0..<number("reads") { readPage(descriptor, 2 * index, pageSize) }
    if number("kill") != 0 { kill(getpid(), Int32(truncatingIfNeeded: number("kill"))) }
    munmap(base, pages * pageSize)
    return 0
  }

  private func touch(_ base: UnsafeMutableRawPointer, _ pages: Int, _ pageSize: Int, writes: Bool) {
    let order = order.pages(of: pages, seed: UInt64(number("seed", 1)))
    let place = TouchPlace(base: base, pageSize: pageSize, writes: writes)
    let threads = max(1, number("threads", 1))
    if threads == 1 { return place.touch(order[...]) }
    let share = (order.count + threads - 1) / threads
    let workers = (0..<threads).map { index in
      let part = order[min(index * share, order.count)..<min((index + 1) * share, order.count)]
      return Worker { place.touch(part) }
    }
    for worker in workers { worker.join() }
  }

  private func forkAndTouch(_ base: UnsafeMutableRawPointer, _ pages: Int, _ pageSize: Int, writes: Bool) -> Bool {
    let child = cl_fork()
    if child == 0 {
      touch(base, pages, pageSize, writes: writes)
      _exit(0)
    }
    var status: Int32 = 0
    return child > 0 && waitpid(child, &status, 0) == child && status == 0
  }

  private func readPage(_ descriptor: Int32, _ page: Int, _ pageSize: Int) {
    withUnsafeTemporaryAllocation(byteCount: pageSize, alignment: 8) { buffer in
      _ = pread(descriptor, buffer.baseAddress!, pageSize, off_t(page * pageSize))
    }
  }

  private func complain(_ what: String) -> Int32 {
    complainAloud("\(what) '\(path)': \(systemErrorText(errno))")
    return 1
  }
}

/// `@unchecked Sendable`: a mapping that outlives the threads that touch it.
private struct TouchPlace: @unchecked Sendable {
  let base: UnsafeMutableRawPointer
  let pageSize: Int
  let writes: Bool

  func touch(_ pages: ArraySlice<Int>) {
    var sum: UInt8 = 0
    for page in pages {
      let place = base + page * pageSize
      if writes {
        place.storeBytes(of: UInt8(truncatingIfNeeded: page), as: UInt8.self)
      } else {
        sum &+= place.load(as: UInt8.self)
      }
    }
    cl_keep(UInt64(sum))  // else the loads are for nothing and the compiler drops them
  }
}

private func complainAloud(_ text: String) {
  let line = text + "\n"
  _ = write(2, line, line.utf8.count)
}
