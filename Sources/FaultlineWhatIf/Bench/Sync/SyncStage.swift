import Faultline
import FaultlineFS
import Foundation

/// A file system on a device, and a machine that maps its files.
final class SyncStage {
  /// What one round of 512 first stores took.
  struct Round: Sendable {
    var latencies = LatencyHistogram()
    /// Of one fault, in nanoseconds.
    var median: UInt64 = 0
    var commits: UInt64 = 0
    var minorFaults: UInt64 = 0
    var majorFaults: UInt64 = 0
  }

  private static let devicePages: UInt64 = 16_384
  private static let length = SyncSetting.pages << PageSize.shift
  /// Aligned to 2 MiB.
  private static let address = VirtualAddress(page: 1 << 20)

  private let fileSystem: ExtentFileSystem
  /// One for each window.
  private var hosts: [UInt64: Host] = [:]
  /// Removed with the stage.
  private let image: String?

  /// - Parameter directory: where the image of a file device is made.
  init(_ mode: MetadataMode, _ kind: SyncSetting.Device, directory: String) throws {
    let device: any DAXDevice
    switch kind {
    case .ram:
      image = nil
      device = try RAMDevice(pageCount: Self.devicePages)
    case .file:
      let path = "\(directory)/faultline-bench-sync.\(getpid()).\(mode.name)"
      device = try FileDevice(creating: path, pageCount: Self.devicePages, isSynchronous: true)
      image = path
    }
    try ExtentFileSystem.make(on: device, mode: mode)
    fileSystem = try ExtentFileSystem.mount(device)
  }

  /// What maps the files.
  private struct Host {
    let machine: Machine
    let space: AddressSpace

    init(window: UInt64) throws {
      var rules = KernelRules.linux6_18
      rules.direct.syncWindowPages = window
      machine = try Machine(rules: rules, frameCount: 1 << 12, contents: .bytes)
      space = try AddressSpace(machine: machine)
    }
  }

  private func host(window: UInt64) throws -> Host {
    if let host = hosts[window] { return host }
    let host = try Host(window: window)
    hosts[window] = host
    return host
  }

  deinit {
    try? fileSystem.unmount()
    if let image { unlink(image) }
  }

  /// Times the first store to each page of a new file.
  func round(_ setting: SyncSetting) throws -> Round {
    let file = try newFile(setting.contents)
    defer { file.close() }
    let copying = setting.isBusy ? try BackgroundCopy(on: fileSystem) : nil
    defer { copying?.end() }
    let host = try host(window: setting.window)
    let space = host.space
    let node = try FileNode(machine: host.machine, traits: .ext4Direct, file: file)
    var task = FaultTask()
    let flags: MapFlags = [.sharedValidate, .fixed]
    try space.mmap(
      address: Self.address, length: Self.length, protection: [.read, .write],
      flags: setting.isSynchronous ? flags.union(.sync) : flags, file: OpenFile(node: node, mode: .readWrite), by: &task
    )
    if setting.size == .page { try space.madvise(Self.address, length: Self.length, .noHugePage, by: &task) }
    let commits = fileSystem.statistics.commits
    let storers = try SyncStorers.run(setting.threads) { thread in
      SyncStorer(space: space, first: Self.address.page, thread: UInt64(thread), of: UInt64(setting.threads))
    }
    var round = Round()
    round.commits = fileSystem.statistics.commits - commits
    for storer in storers {
      round.minorFaults += storer.minorFaults
      round.majorFaults += storer.majorFaults
    }
    let times = storers.flatMap(\.times)
    for time in times { round.latencies.add(time) }
    round.median = times.isEmpty ? 0 : times.sorted()[times.count / 2]
    try space.munmap(Self.address, length: Self.length)
    return round
  }

  /// 2 MiB long, and durable as it is.
  private func newFile(_ contents: SyncSetting.Contents) throws -> ExtentFile {
    let path = "/measured"
    if (try? fileSystem.status(path)) != nil { try fileSystem.unlink(path) }
    let file = try fileSystem.create(path)
    switch contents {
    case .written: try file.write(repeatElement(0, count: Int(Self.length)), at: 0)
    case .fallocated: try file.change(.allocate, 0..<Self.length, keepSize: false)
    case .empty: try file.resize(to: Self.length)
    }
    try file.fsync()
    return file
  }
}

/// Why `bench sync` could not go on.
public enum SyncBenchError: Error, CustomStringConvertible {
  /// A store did not go through.
  case signal
  /// There is no such directory, or no file can be made there.
  case directory(String, reason: String)

  public var description: String {
    switch self {
    case .signal: "a store to a mapped page ended in a signal: the device is full or refuses"
    case .directory(let path, let reason):
      "no device file can be made in '\(path)': \(reason); name another with --directory"
    }
  }
}
