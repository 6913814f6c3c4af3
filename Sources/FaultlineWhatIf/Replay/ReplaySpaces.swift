import Faultline

/// The address spaces of a recording, and which thread lives in which.
struct ReplaySpaces {
  /// A process of the recording while it has chosen files mapped.
  private struct Process {
    var space: AddressSpace
    /// The descriptor of each file, where the trace does not tell several apart. Kernel: `struct file`.
    var descriptors: [Int: OpenFile] = [:]
  }

  private var processes: [Int: Process] = [:]
  /// Numbers of the live processes, ascending: the order of everything that goes over all of them.
  private var live: [Int] = []
  /// A damaged trace may give one number to two files.
  private struct NumberedFile: Hashable {
    var file: Int
    var openFile: Int
  }

  private var numbered: [NumberedFile: OpenFile] = [:]
  /// The process of each task index.
  private var processOfTask: [Int] = []
  /// Pages that were mapped when their mapping ended.
  private var unmapped = MappedTotals()

  /// Pages mapped at the end of their mapping, or now.
  var pagesMapped: MappedTotals {
    live.reduce(into: unmapped) { totals, process in
      if let space = processes[process]?.space { totals.add(space.mappedTotals) }
    }
  }

  func space(ofTask task: Int) -> AddressSpace? {
    guard task < processOfTask.count else { return nil }
    return processes[processOfTask[task]]?.space
  }

  func space(ofProcess process: Int) -> AddressSpace? { processes[process]?.space }

  /// The process that a task runs in.
  func process(ofTask task: Int) -> Int? { task < processOfTask.count ? processOfTask[task] : nil }

  mutating func declare(task: Int, process: Int) {
    while processOfTask.count <= task { processOfTask.append(-1) }
    processOfTask[task] = process
  }

  /// The space of a process, made when it is first needed.
  mutating func demand(process: Int, on machine: Machine) throws(KernelError) -> AddressSpace {
    if let space = processes[process]?.space { return space }
    let space = try AddressSpace(machine: machine)
    insert(process, Process(space: space))
    return space
  }

  /// The descriptor behind a mapping or a read: the numbered one, or, where a trace does not number them, one for each file
  /// and process.
  mutating func descriptor(process: Int, file: Int, openFile: Int?, node: FileNode) -> OpenFile {
    if let openFile {
      let key = NumberedFile(file: file, openFile: openFile)
      if let open = numbered[key] { return open }
      let open = OpenFile(node: node, mode: .readWrite)
      numbered[key] = open
      return open
    }
    if let open = processes[process]?.descriptors[file] { return open }
    let open = OpenFile(node: node, mode: .readWrite)
    processes[process]?.descriptors[file] = open
    return open
  }

  /// The child gets a copy of the space and shares the parent's descriptors.
  mutating func fork(parent: Int, child: Int) throws(KernelError) {
    guard let process = processes[parent] else { return }
    end(process: child)
    insert(child, Process(space: try process.space.fork(), descriptors: process.descriptors))
  }

  mutating func end(process: Int) {
    guard let ended = processes.removeValue(forKey: process) else { return }
    unmapped.add(ended.space.mappedTotals)
    live.removeAll { $0 == process }
  }

  /// Runs a call that may end mappings, and keeps what was mapped in them.
  mutating func changing(
    _ space: AddressSpace, _ call: () throws(KernelError) -> Void
  ) throws(KernelError) {
    let before = space.mappedTotals
    defer { unmapped.add(before.less(space.mappedTotals)) }
    try call()
  }

  private mutating func insert(_ number: Int, _ process: Process) {
    processes[number] = process
    let place = live.firstIndex { $0 > number } ?? live.endIndex
    live.insert(number, at: place)
  }
}

/// Entered pages of either kind, and those of them that huge entries map.
struct MappedTotals {
  private(set) var all: UInt64 = 0
  private(set) var huge: UInt64 = 0

  mutating func add(_ other: MappedTotals) {
    all &+= other.all
    huge &+= other.huge
  }

  /// What `after` lacks; nothing where it has more.
  func less(_ after: MappedTotals) -> MappedTotals {
    MappedTotals(all: all - min(all, after.all), huge: huge - min(huge, after.huge))
  }
}

extension AddressSpace {
  fileprivate var mappedTotals: MappedTotals {
    MappedTotals(all: mappedFilePages &+ mappedPrivatePages, huge: mappedHugeFilePages)
  }
}
