import FaultlineCheck
import FaultlineFS
import Synchronization

@testable import Faultline

/// A file whose commits fail as long as they are told to, and otherwise are its file system's.
final class RefusingFile: ForwardingFile {
  let file: ExtentFile
  private let isRefusing = Atomic(false)

  init(_ file: ExtentFile) { self.file = file }

  func refuse(_ refuses: Bool = true) { isRefusing.store(refuses, ordering: .relaxed) }

  func commit(dataOnly: Bool) throws(KernelError) {
    if isRefusing.load(ordering: .relaxed) { throw KernelError(.EIO, "a commit was made to fail") }
    try file.commit(dataOnly: dataOnly)
  }

  func isDurable(_ range: Range<UInt64>, at address: UInt64) -> Bool? { file.isDurable(range, at: address) }
}
