import Faultline
import FaultlineFS

/// A file with DAX that is another one in all that it does not do itself.
package protocol ForwardingFile: DAXFile {
  var file: ExtentFile { get }
}

extension ForwardingFile {
  package var device: any DAXDevice { file.device }
  package var inode: UInt64 { file.inode }
  package var size: UInt64 { file.size }

  package func map(
    _ range: Range<UInt64>, for request: IOMapRequest, window: Range<UInt64>
  ) throws(KernelError) -> IOMap {
    try file.map(range, for: request, window: window)
  }

  package func endMap(_ map: IOMap, for request: IOMapRequest, written: UInt64) throws(KernelError) {
    try file.endMap(map, for: request, written: written)
  }

  package func beginHandle() throws(KernelError) { try file.beginHandle() }
  package func endHandle() { file.endHandle() }
  package func resize(to size: UInt64) throws(KernelError) { try file.resize(to: size) }

  package func change(_ change: RangeChange, _ range: Range<UInt64>, keepSize: Bool) throws(KernelError) {
    try file.change(change, range, keepSize: keepSize)
  }
}
