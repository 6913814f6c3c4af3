import Faultline
import FaultlineFS

/// What a scenario on files acts on: a machine whose files lie on an extent file system, and what may be found of them after a
/// crash at any moment.
///
/// Every operation says before it begins what a crash may show from then on, and after it has returned what is sure.
/// Its errors are those of the file system and the engine.
///
/// `@unchecked Sendable`: threads take turns, as ``CrashStage/interleave(_:at:with:)`` lets them.
final class CrashStage: @unchecked Sendable {
  let fs: ExtentFileSystem
  let device: StageDevice
  let space: AddressSpace
  private(set) var states: ExpectedStates
  private(set) var files: [StageFile] = []
  private let announce: (FilePromise) -> Void
  private let traits: FileTraits
  private let machine: Machine
  private var stores: UInt64 = 0
  private var mappings: UInt64 = 0

  /// Mounts what is on the device.
  ///
  /// - Parameter announce: gets every promise.
  init(on device: any DAXDevice, _ options: StageOptions, announce: @escaping (FilePromise) -> Void) throws {
    self.device = StageDevice(device)
    self.announce = announce
    let found = try CrashStage.find(on: device)
    states = ExpectedStates(found.tree, isOrdered: options.mode != .inPlace)
    announce(FilePromise(description: "the file system is mounted", states: states))
    fs = try ExtentFileSystem.mount(self.device, options: options.mount)
    traits = options.mode == .pinnedLog ? .xfsDirect : .ext4Direct
    var rules = KernelRules.linux6_18
    rules.direct.syncWindowPages = options.syncWindowPages
    machine = try Machine(rules: rules, frameCount: 4096, contents: .bytes)
    #if DEBUG || ModelCheck
      machine.switches.bugs = options.engineBugs
    #endif
    space = try AddressSpace(machine: machine)
    for (path, key) in found.keys { files.append(try adopt(try fs.open(path), path, key)) }
  }

  /// What is there, looked at without changing it.
  private static func find(on device: any DAXDevice) throws -> (tree: ExpectedTree, keys: [(String, FileKey)]) {
    let fs = try ExtentFileSystem.mount(device, options: MountOptions(readOnly: true))
    defer { fs.abandon() }
    var tree = ExpectedTree()
    var keys: [(String, FileKey)] = []
    for file in try FoundTree(fs).files {
      let key = FileKey(number: keys.count)
      var expected = ExpectedFile(size: file.size)
      for word in file.words { expected.words[word.offset] = [word.value] }
      tree.names[file.path] = key
      tree.files[key] = expected
      keys.append((file.path, key))
    }
    return (tree, keys)
  }

  /// The file that is called so now.
  func file(_ path: String) throws -> StageFile {
    guard let file = files.last(where: { $0.path == path }) else {
      throw KernelError(.ENOENT, "the scenario has no file \(path)")
    }
    return file
  }

  private func adopt(_ extentFile: ExtentFile, _ path: String, _ key: FileKey) throws -> StageFile {
    let gated = GatedFile(extentFile)
    let node = try FileNode(machine: machine, traits: traits, file: gated)
    return StageFile(key: key, path: path, extents: extentFile, gate: gated, node: node)
  }

  // MARK: promises

  /// Something happens, and `body` says what may or must be found from now on.
  func promise(_ text: String, _ body: (inout ExpectedStates) -> Void) {
    body(&states)
    announce(FilePromise(description: text, states: states))
  }

  /// A value that no other store has.
  func value(for file: StageFile, at offset: UInt64) -> UInt64 {
    stores += 1
    return UInt64(file.key.number + 1) << 56 | stores << 32 | offset & 0xFFFF_FFFF
  }

  // MARK: names

  func create(_ path: String) throws -> StageFile {
    let key = FileKey(number: files.count)
    promise("\(path) is created") { states in
      states.change(key, [.names, .data]) {
        $0.names[path] = key
        $0.files[key] = ExpectedFile()
      }
    }
    let file = try adopt(try fs.create(path), path, key)
    files.append(file)
    return file
  }

  func rename(_ file: StageFile, to path: String) throws {
    let replaced = states.now.names[path].flatMap { key in files.first { $0.key == key } }
    promise("\(file.path) is renamed to \(path)") { states in
      states.change(file.key, .names) { tree in
        tree.names[file.path] = nil
        tree.names[path] = file.key
      }
      if let replaced { states.forgetEntries(of: replaced.extents.inode, among: .max) }
    }
    try fs.rename(file.path, to: path)
    replaced?.path = ""
    file.path = path
  }

  func unlink(_ file: StageFile) throws {
    promise("\(file.path) is unlinked") { states in
      states.change(file.key, .names) { $0.names[file.path] = nil }
      states.forgetEntries(of: file.extents.inode, among: .max)
    }
    try fs.unlink(file.path)
    file.path = ""
  }

  /// Syncs the directory that holds a path.
  func syncDirectory(_ path: String) throws {
    let directory = try fs.open(path)
    defer { directory.close() }
    try directory.fsync()
    promise("fsync of \(path) returned") { $0.syncNames() }
  }

  /// Closes a file, with the mapping of it that there was.
  func close(_ file: StageFile, _ mapping: StageMapping? = nil) throws {
    if let mapping { try space.munmap(mapping.start, length: UInt64(mapping.pages.count) << PageSize.shift) }
    promise("\(file.name) is closed") { _ in }
    file.close()
  }

  // MARK: mappings

  /// Maps pages of a file, shared and to be stored to.
  func map(_ file: StageFile, pages: Range<UInt64>, synchronous: Bool) throws -> StageMapping {
    mappings += 1
    var task = FaultTask()
    // Where the file's pages and the address space's coincide modulo 2 MiB, one entry may map 512 of them.
    let wish = VirtualAddress(page: mappings << 18 | pages.lowerBound)
    let address = try space.mmap(
      address: wish, length: UInt64(pages.count) << PageSize.shift, protection: [.read, .write],
      flags: synchronous ? [.sharedValidate, .sync] : .shared, file: try file.open,
      offset: pages.lowerBound << PageSize.shift,
      by: &task)
    return StageMapping(file: file, pages: pages, start: address, isSynchronous: synchronous)
  }
}

/// How a stage is set.
struct StageOptions: Sendable {
  var mode: MetadataMode
  var mount = MountOptions()
  var syncWindowPages: UInt64 = 1
  #if DEBUG || ModelCheck
    var engineBugs: Set<SeededBug> = []
  #endif
}

extension CrashStage {
  /// The scenario is not what it should be, or what it runs on answers wrongly even without a crash.
  struct Surprise: Error, CustomStringConvertible {
    let description: String
  }

  func expect(_ isTrue: Bool, _ surprise: String) throws {
    guard isTrue else { throw Surprise(description: surprise) }
  }
}
