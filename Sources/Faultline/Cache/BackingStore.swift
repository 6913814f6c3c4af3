/// Where a file's pages come from and go to: the engine's contract with file systems and stores.
///
/// The engine calls it from any thread that faults, reads ahead or writes back, holding the locks of the folios concerned
/// and nothing else; it may be slow and it may fail, and it must not call back into the engine.
public protocol BackingStore: AnyObject, Sendable {
  /// Fills `buffer` with the contents of the pages from `firstPage` on. What lies beyond the store's data is zero.
  ///
  /// - Parameter buffer: a whole number of pages.
  func read(firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError)

  /// Keeps the contents of the pages from `firstPage` on. Whole pages come even if the file ends inside the last.
  func write(firstPage: UInt64, from buffer: UnsafeRawBufferPointer) throws(StoreError)

  /// Makes a range of bytes read as zero, giving back the room that whole pages took.
  func discard(_ bytes: Range<UInt64>) throws(StoreError)

  /// Whether the page reads as zero without asking a device: nothing was ever written there, or it was discarded. Kernel: a hole
  /// or an unwritten extent.
  func isHole(_ page: UInt64) -> Bool
}

/// A store that could not do what it was asked.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The first page that is concerned.
  public let page: UInt64
  /// What happened, for a person to read.
  public let message: String

  public init(page: UInt64, message: String) {
    self.page = page
    self.message = message
  }

  public var description: String { "page \(page): \(message)" }
}

extension BackingStore {
  /// For stores that do not know: every page has to be read.
  public func isHole(_ page: UInt64) -> Bool { false }

  /// For stores that cannot give room back: whole pages of zeroes are written, and cut pages written anew.
  public func discard(_ bytes: Range<UInt64>) throws(StoreError) {
    let page = UnsafeMutableRawBufferPointer.allocate(byteCount: Int(PageSize.bytes), alignment: 8)
    defer { page.deallocate() }
    for index in bytes.lowerBound >> PageSize.shift..<PageSize.pages(covering: bytes.upperBound) {
      let start = index << PageSize.shift
      let part = bytes.clamped(to: start..<start &+ PageSize.bytes)
      if part.count < PageSize.bytes { try read(firstPage: index, into: page) }
      UnsafeMutableRawBufferPointer(rebasing: page[Int(part.lowerBound - start)..<Int(part.upperBound - start)])
        .initializeMemory(as: UInt8.self, repeating: 0)
      try write(firstPage: index, from: UnsafeRawBufferPointer(page))
    }
  }
}
