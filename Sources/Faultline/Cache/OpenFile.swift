/// An open file description: a file, what it was opened for, and where its readahead stands. Kernel: `struct file`.
///
/// Descriptors that were duplicated share one; a second `open` makes a second.
public final class OpenFile: Sendable {
  /// What the descriptor allows.
  public enum Mode: Sendable {
    case readOnly, writeOnly, readWrite
  }

  public let node: FileNode
  public let mode: Mode
  nonisolated(unsafe) let readahead: ReadaheadPointer
  /// Whether POSIX_FADV_RANDOM is in force for read(2). Kernel: `FMODE_RANDOM`.
  let readsRandomly = AtomicWord(0)

  public convenience init(node: FileNode, mode: Mode) { self.init(node: node, mode: mode, misses: 0) }

  /// - Parameter misses: faults that seem to have had to read already; see ``misses``.
  package init(node: FileNode, mode: Mode, misses: UInt64) {
    self.node = node
    self.mode = mode
    readahead = CacheLines.allocate(for: ReadaheadState.self)
    readahead.initialize(to: ReadaheadState(maximum: node.traits.readaheadPages))
    readahead.pointee.misses.store(misses, ordering: .relaxed)
  }

  deinit {
    readahead.deinitialize(count: 1)
    readahead.deallocate()
  }

  /// Faults that had to read, less those that did not. Kernel: `mmap_miss`.
  package var misses: UInt64 { readahead.pointee.misses.load(ordering: .relaxed) }

  var isReadable: Bool { mode != .writeOnly }
  var isWritable: Bool { mode != .readOnly }
}
