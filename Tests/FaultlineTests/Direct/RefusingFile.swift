import FaultlineFS
import Synchronization

@testable import Faultline

/// A file whose commits fail as long as they are told to, and otherwise are its file system's.
final class RefusingFile: DAXFile {
  private let file: ExtentFile
  private let isRefusing = Atomic(false)

  init(_ file: ExtentFile) { self.file = file }

  func refuse(_ refuses: Bool = true) { isRefusing.store(refuses, ordering: .relaxed) }

  func commit(dataOnly: Bool) throws(KernelError) {
    if isRefusing.load(ordering: .relaxed) { throw KernelError(.EIO, "a commit was made to fail") }
    try file.commit(dataOnly: dataOnly)
  }

  var device: any DAXDevice { file.device }
  var inode: UInt64 { file.inode }
  var size: UInt64 { file.size }

  func map(
    _ range: Range<UInt64>, for request: IOMapRequest, window: Range<UInt64>
  ) throws(KernelError) -> IOMap {
    try file.map(range, for: request, window: window)
  }

  func endMap(_ map: IOMap, for request: IOMapRequest, written: UInt64) throws(KernelError) {
    try file.endMap(map, for: request, written: written)
  }

  func beginHandle() throws(KernelError) { try file.beginHandle() }
  func endHandle() { file.endHandle() }
  func resize(to size: UInt64) throws(KernelError) { try file.resize(to: size) }

  func isDurable(_ range: Range<UInt64>, at address: UInt64) -> Bool? { file.isDurable(range, at: address) }

  func change(_ change: RangeChange, _ range: Range<UInt64>, keepSize: Bool) throws(KernelError) {
    try file.change(change, range, keepSize: keepSize)
  }
}
