import Faultline
import FaultlineFS
import Foundation
import Testing

@testable import FaultlineCheck

/// mmap(2) takes and refuses flags as the kernels do, on every kind of file, and says so in `VmFlags`.
@Suite struct MapMatrixTests {
  /// One row: what was asked, and what came of it.
  private struct Row {
    let target: String
    let mode: OpenFile.Mode
    let protection: Protection
    let flags: MapFlags
    let result: String
    let text: String

    init?(_ line: Substring) {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 6, fields[0] != "target", let type = Self.type(fields[2]) else { return nil }
      target = fields[0]
      mode = fields[1].hasPrefix("fd=ro") ? .readOnly : fields[1].hasPrefix("fd=wo") ? .writeOnly : .readWrite
      let letters = fields[1].split(separator: "=").last ?? ""
      var protection: Protection = []
      if letters != "none" {
        if letters.contains("r") { protection.insert(.read) }
        if letters.contains("w") { protection.insert(.write) }
        if letters.contains("x") { protection.insert(.execute) }
      }
      self.protection = protection
      flags = fields[3].split(separator: "|").reduce(MapFlags(rawValue: type)) { $0.union(Self.flag($1)) }
      result = fields[4] == "OK" ? fields[5] : fields[4]
      text = line.description
    }

    private static func type(_ text: String) -> UInt64? {
      switch text {
      case "MAP_SHARED": 1
      case "MAP_PRIVATE": 2
      case "MAP_SHARED_VALIDATE": 3
      default: text.split(separator: "=").last.flatMap { UInt64($0) }
      }
    }

    private static func flag(_ text: Substring) -> MapFlags {
      let known: [Substring: UInt64] = [
        "MAP_SYNC": 0x80000, "MAP_POPULATE": 0x8000, "MAP_LOCKED": 0x2000, "MAP_NORESERVE": 0x4000,
        "MAP_DENYWRITE": 0x800, "MAP_32BIT": 0x40, "MAP_GROWSDOWN": 0x100, "MAP_EXECUTABLE": 0x1000,
        "MAP_NONBLOCK": 0x10000, "MAP_STACK": 0x20000, "MAP_HUGETLB": 0x40000, "MAP_FIXED_NOREPLACE": 0x100000,
        "MAP_UNINITIALIZED": 0x400_0000, "-": 0,
      ]
      if let value = known[text] { return MapFlags(rawValue: value) }
      let digits = text.dropFirst(2).prefix { $0.isHexDigit }
      return MapFlags(rawValue: UInt64(digits, radix: 16) ?? .max)
    }
  }

  @Test(arguments: KernelRules.all)
  func everyRowIsEqual(rules: KernelRules) throws {
    let url = try #require(
      Bundle.module.url(forResource: "mmap_matrix.\(rules.name)", withExtension: "tsv", subdirectory: "Recordings"))
    let rows = try String(contentsOf: url, encoding: .utf8).split(separator: "\n").compactMap(Row.init)
    #expect(rows.count == 852)
    for row in rows {
      #expect(try outcome(of: row, rules.configured(asIn: rules.name + "+deb")) == row.result, "\(row.text)")
    }
  }

  private func outcome(of row: Row, _ rules: KernelRules) throws -> String {
    let machine = try Machine(rules: rules, frameCount: 1 << 12, contents: .bytes)
    let space = try AddressSpace(machine: machine)
    var task = FaultTask()
    let file = try node(row.target, machine).map { OpenFile(node: $0, mode: row.mode) }
    let flags = file == nil ? row.flags.union(.anonymous) : row.flags
    do throws(KernelError) {
      let address = try space.mmap(
        address: VirtualAddress(page: 1 << 20), length: 4 << 12, protection: row.protection, flags: flags, file: file,
        by: &task)
      return space.mappedAreas(in: address.page..<address.page + 4).map { $0.mnemonics(rules) }.joined(separator: ";")
    } catch {
      return error.errno.name
    }
  }

  private func node(_ target: String, _ machine: Machine) throws -> FileNode? {
    switch target {
    case "anon": nil
    case "ext4-dax":
      try FileNode(machine: machine, traits: .ext4Direct, file: try directFile())
    case "ext4", "ext4-pmem-daxnever":
      FileNode(machine: machine, traits: .ext4(machine.rules), store: RAMStore(), size: 4 << 12)
    default: FileNode(machine: machine, traits: .tmpfs, size: 4 << 12)
    }
  }

  private func directFile(isSynchronous: Bool = true) throws -> ExtentFile {
    let device = try RAMDevice(pageCount: Geometry.smallest, isSynchronous: isSynchronous)
    try ExtentFileSystem.make(on: device, mode: .orderedJournal)
    let file = try ExtentFileSystem.mount(device).create("file")
    try file.resize(to: 4 << 12)
    return file
  }

  /// XFS grants the flag as ext4 does; a device whose durability needs a host's call refuses it.
  @Test func onlyASynchronousDeviceGrantsIt() throws {
    for (traits, isSynchronous) in [
      (FileTraits.xfsDirect, true), (.ext4Direct, false), (.xfsDirect, false),
    ] {
      let machine = try Machine(frameCount: 1 << 12)
      let file = OpenFile(
        node: try FileNode(machine: machine, traits: traits, file: directFile(isSynchronous: isSynchronous)),
        mode: .readWrite)
      let space = try AddressSpace(machine: machine)
      var task = FaultTask()
      for type in [MapFlags.shared, .private, .sharedValidate] {
        let granted =
          (try? space.mmap(
            length: 4096, protection: .read, flags: type.union(.sync), file: file, by: &task)) != nil
        #expect(granted == isSynchronous)
      }
    }
  }
}
