/// The files and address spaces that a machine has now, oldest first: so that a checker misses none, not even the nameless
/// file behind shared anonymous memory.
///
/// `@unchecked Sendable`: the lists are guarded by `lock`. They hold no references; what ends takes itself out.
final class Census: @unchecked Sendable {
  private let lock = SpinLock()
  private var files: [Unmanaged<FileNode>] = []
  private var spaces: [Unmanaged<AddressSpace>] = []

  func add(_ file: FileNode) {
    let file = Unmanaged.passUnretained(file)
    lock.withLock { files.append(file) }
  }

  func add(_ space: AddressSpace) {
    let space = Unmanaged.passUnretained(space)
    lock.withLock { spaces.append(space) }
  }

  func remove(_ file: FileNode) {
    let place = Unmanaged.passUnretained(file).toOpaque()
    lock.withLock { files.removeAll { $0.toOpaque() == place } }
  }

  func remove(_ space: AddressSpace) {
    let place = Unmanaged.passUnretained(space).toOpaque()
    lock.withLock { spaces.removeAll { $0.toOpaque() == place } }
  }

  /// Call these while nothing ends.
  var allFiles: [FileNode] { lock.withLock { files.map { $0.takeUnretainedValue() } } }
  var allSpaces: [AddressSpace] { lock.withLock { spaces.map { $0.takeUnretainedValue() } } }
}

extension Machine {
  /// Frees what waits for readers, so that what is in use is what can be found. Call it while nothing else runs.
  package func settle() {
    while epochs.pendingCount > 0 { epochs.collect() }
  }

  /// Every file, oldest first. Call it while nothing else runs.
  package var auditFiles: [FileNode] { census.allFiles }

  /// Every address space, oldest first. Call it while nothing else runs.
  package var auditSpaces: [AddressSpace] { census.allSpaces }
}
