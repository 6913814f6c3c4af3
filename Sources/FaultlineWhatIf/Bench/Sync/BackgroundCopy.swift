import FaultlineFS
import Foundation
import Synchronization

/// A thread that copies a file on the measured file system again and again, until it is ended.
final class BackgroundCopy: Sendable {
  private static let pieces = 64
  private static let pieceBytes = 16 << 10

  private let fileSystem: ExtentFileSystem
  private let isOver = Atomic(false)
  private let done = DispatchSemaphore(value: 0)

  init(on fileSystem: ExtentFileSystem) throws {
    self.fileSystem = fileSystem
    let thread = Thread { [self] in
      copyUntilOver()
      done.signal()
    }
    thread.start()
  }

  /// Returns when the copies are gone.
  func end() {
    isOver.store(true, ordering: .releasing)
    done.wait()
  }

  /// What fails, fails because the file system is being measured and not because of this: the next round begins anew.
  private func copyUntilOver() {
    let (source, copy) = ("/source", "/copy")
    let piece = [UInt8](repeating: 7, count: Self.pieceBytes)
    guard let original = try? fileSystem.create(source) else { return }
    for number in 0..<Self.pieces { try? original.write(piece, at: UInt64(number * Self.pieceBytes)) }
    while !isOver.load(ordering: .acquiring) {
      guard let target = try? fileSystem.create(copy) else { break }
      for number in 0..<Self.pieces where !isOver.load(ordering: .relaxed) {
        let place = UInt64(number * Self.pieceBytes)
        guard let bytes = try? original.read(at: place, count: Self.pieceBytes) else { break }
        try? target.write(bytes, at: place)
      }
      try? fileSystem.unlink(copy)
      target.close()
    }
    original.close()
    try? fileSystem.unlink(source)
  }
}
