import Glibc

/// The files that traced programs map, numbered in order of appearance.
final class MappedFiles {
  private struct Key: Hashable {
    var device: UInt64
    var inode: UInt64
  }

  private(set) var all: [TraceFile] = []
  private var numbers: [Key: Int] = [:]
  /// By number: the file is a program or a shared library.
  private var text: Set<Int> = []
  private var fileSystems: [UInt64: HostFileSystem] = [:]

  /// The number of a file that was seen before.
  func known(_ status: stat) -> Int? { numbers[Key(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))] }

  /// The number of an open file, and whether it is new. Its residency is looked up when it is first seen.
  func number(of descriptor: Int32, _ status: stat) -> (file: Int, isNew: Bool) {
    if let number = known(status) { return (number, false) }
    let told = Residency.isTold(descriptor, status)
    let bytes = Self.size(descriptor, status)
    let resident = told ? Residency.runs(descriptor, bytes: bytes) : nil
    return (add(linkTarget("/proc/self/fd/\(descriptor)") ?? "", status, bytes, told, resident), true)
  }

  /// The number of a file that the kernel mapped, known by its path; nil when the path leads nowhere.
  func number(ofPath path: String) -> (file: Int, isNew: Bool)? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    var status = stat()
    guard descriptor >= 0 else {
      // An executable need not be readable.
      guard stat(path, &status) == 0 else { return nil }
      if let number = known(status) { return (number, false) }
      return (add(path, status, UInt64(max(0, status.st_size)), false, nil), true)
    }
    defer { close(descriptor) }
    guard fstat(descriptor, &status) == 0 else { return nil }
    return number(of: descriptor, status)
  }

  /// Whether a mapping belongs to a program or library. Nothing is read from the file: that would change what is in the page cache.
  func isText(_ file: Int, protection: TraceProtection) -> Bool {
    if text.contains(file) { return true }
    guard protection.contains(.execute) || Self.isLibraryName(all[file].path.split(separator: "/").last ?? "") else {
      return false
    }
    text.insert(file)
    return true
  }

  /// `libc.so`, `libc.so.6`, and the loader's own `ld.so.cache`, which every program maps.
  static func isLibraryName(_ name: Substring) -> Bool {
    if name.hasSuffix(".so") || name == "ld.so.cache" { return true }
    let parts = name.split(separator: ".")
    guard let index = parts.lastIndex(of: "so"), index > 0 else { return false }
    return parts[(index + 1)...].allSatisfy { $0.allSatisfy(\.isNumber) }
  }

  private func add(_ path: String, _ status: stat, _ bytes: UInt64, _ told: Bool, _ resident: [TraceRun]?) -> Int {
    let number = all.count
    let device = UInt64(status.st_dev)
    let fileSystem = fileSystem(device)
    all.append(
      TraceFile(
        id: number, path: path, bytes: bytes, device: device, inode: UInt64(status.st_ino), isOwnedOrWritable: told,
        resident: resident, fileSystem: fileSystem.type, readAheadKB: fileSystem.readAheadKB))
    numbers[Key(device: device, inode: UInt64(status.st_ino))] = number
    return number
  }

  private static func size(_ descriptor: Int32, _ status: stat) -> UInt64 {
    // Its own open of a block device: the program's shares its position.
    if status.st_mode & S_IFMT == S_IFBLK {
      let device = open("/proc/self/fd/\(descriptor)", O_RDONLY | O_CLOEXEC)
      guard device >= 0 else { return 0 }
      defer { close(device) }
      return UInt64(max(0, lseek(device, 0, SEEK_END)))
    }
    return UInt64(max(0, status.st_size))
  }

  private func fileSystem(_ device: UInt64) -> HostFileSystem {
    if let known = fileSystems[device] { return known }
    let found = HostFileSystem(device: device)
    fileSystems[device] = found
    return found
  }
}
