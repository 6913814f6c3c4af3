/// The files and address spaces that a machine has now, oldest first: so that a checker misses none, not even the nameless
/// file behind shared anonymous memory.
///
/// `@unchecked Sendable`: the lists are guarded by `lock`. They keep nothing alive; what ends takes itself out.
final class Census: @unchecked Sendable {
  private struct Entry<Object: AnyObject> {
    let place: UnsafeMutableRawPointer
    weak var object: Object?

    init(_ object: Object) {
      place = Unmanaged.passUnretained(object).toOpaque()
      self.object = object
    }
  }

  private let lock = SpinLock()
  private var files: [Entry<FileNode>] = []
  private var spaces: [Entry<AddressSpace>] = []

  func add(_ file: FileNode) {
    let entry = Entry(file)
    lock.withLock { files.append(entry) }
  }

  func add(_ space: AddressSpace) {
    let entry = Entry(space)
    lock.withLock { spaces.append(entry) }
  }

  func remove(_ file: FileNode) {
    let place = Unmanaged.passUnretained(file).toOpaque()
    lock.withLock { files.removeAll { $0.place == place } }
  }

  func remove(_ space: AddressSpace) {
    let place = Unmanaged.passUnretained(space).toOpaque()
    lock.withLock { spaces.removeAll { $0.place == place } }
  }

  /// Without those that have begun to end.
  var allFiles: [FileNode] { lock.withLock { files.compactMap(\.object) } }
  var allSpaces: [AddressSpace] { lock.withLock { spaces.compactMap(\.object) } }
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
