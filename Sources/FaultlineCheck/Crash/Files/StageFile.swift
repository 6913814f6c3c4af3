import Faultline
import FaultlineFS

/// A file of a stage.
///
/// `@unchecked Sendable`: changed by the stage's own thread, while no other runs.
final class StageFile: @unchecked Sendable {
  let key: FileKey
  /// Its name now; empty when it has none.
  var path: String
  let extents: ExtentFile
  let gate: GatedFile
  /// `nil` once it is closed: what the engine keeps of a file goes with it, as an inode that is evicted.
  private var descriptor: OpenFile?

  init(key: FileKey, path: String, extents: ExtentFile, gate: GatedFile, node: FileNode) {
    self.key = key
    self.path = path
    self.extents = extents
    self.gate = gate
    descriptor = OpenFile(node: node, mode: .readWrite)
  }

  var name: String { path.isEmpty ? "the file without a name" : path }

  var open: OpenFile {
    get throws(KernelError) {
      guard let descriptor else { throw KernelError(.EBADF, "the scenario has closed \(name)") }
      return descriptor
    }
  }

  func close() {
    descriptor = nil
    extents.close()
  }
}

/// A mapping of pages of a file.
struct StageMapping: Sendable {
  let file: StageFile
  let pages: Range<UInt64>
  let start: VirtualAddress
  let isSynchronous: Bool

  /// Where a byte of the file is.
  func address(of offset: UInt64) -> VirtualAddress {
    VirtualAddress(rawValue: start.rawValue &+ offset &- pages.lowerBound << PageSize.shift)
  }
}
