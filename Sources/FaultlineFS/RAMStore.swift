import Faultline
import Synchronization

/// # FaultlineFS
///
/// Stores and file systems behind the engine's contracts. Nothing here calls back into the engine.

/// A store in this process's memory. Pages that were never written are zero and cost nothing.
///
/// Any thread may use it.
public final class RAMStore: BackingStore {
  private let pages = Mutex<[UInt64: [UInt8]]>([:])
  private let faults = Mutex(Faults())

  /// What was injected, and what was tried on it.
  private struct Faults {
    var reads: Range<UInt64>?
    var writes: Range<UInt64>?
    var attempts: [UInt64: UInt64] = [:]
  }

  public init() {}

  /// Refuses every read of these pages from now on; `nil` for none.
  public func failReads(of pages: Range<UInt64>?) { faults.withLock { $0.reads = pages } }

  /// Refuses every write of these pages from now on; `nil` for none.
  public func failWrites(of pages: Range<UInt64>?) { faults.withLock { $0.writes = pages } }

  /// How often a read that was refused asked for this page.
  public func failedReads(of page: UInt64) -> UInt64 { faults.withLock { $0.attempts[page] ?? 0 } }

  private func refuseRead(_ pages: Range<UInt64>) throws(StoreError) {
    let refused = faults.withLock { faults -> UInt64? in
      guard let bad = faults.reads?.clamped(to: pages), !bad.isEmpty else { return nil }
      for page in bad { faults.attempts[page, default: 0] += 1 }
      return bad.lowerBound
    }
    if let refused { throw StoreError(page: refused, message: "reading page \(refused) was made to fail") }
  }

  private func refuseWrite(_ pages: Range<UInt64>) throws(StoreError) {
    guard let bad = faults.withLock({ $0.writes })?.clamped(to: pages), !bad.isEmpty else { return }
    throw StoreError(page: bad.lowerBound, message: "writing page \(bad.lowerBound) was made to fail")
  }

  public func read(firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
    let size = Int(PageSize.bytes)
    try refuseRead(firstPage..<firstPage &+ UInt64(buffer.count / size))
    pages.withLock { pages in
      for offset in stride(from: 0, to: buffer.count, by: size) {
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[offset..<min(offset + size, buffer.count)])
        if let page = pages[firstPage &+ UInt64(offset / size)] {
          target.copyBytes(from: page.prefix(target.count))
        } else {
          target.initializeMemory(as: UInt8.self, repeating: 0)
        }
      }
    }
  }

  public func write(firstPage: UInt64, from buffer: UnsafeRawBufferPointer) throws(StoreError) {
    let size = Int(PageSize.bytes)
    try refuseWrite(firstPage..<firstPage &+ UInt64(buffer.count / size))
    pages.withLock { pages in
      for offset in stride(from: 0, to: buffer.count, by: size) {
        let source = buffer[offset..<min(offset + size, buffer.count)]
        pages[firstPage &+ UInt64(offset / size)] = Array(source) + Array(repeating: 0, count: size - source.count)
      }
    }
  }

  public func isHole(_ page: UInt64) -> Bool { pages.withLock { $0[page] == nil } }

  /// Forgets a range of bytes: it is zero from then on.
  public func discard(_ bytes: Range<UInt64>) {
    pages.withLock { pages in
      pages = pages.filter { !bytes.covers(page: $0.key) }
      for page in [bytes.lowerBound >> PageSize.shift, bytes.upperBound >> PageSize.shift] {
        guard var content = pages[page] else { continue }
        let start = page << PageSize.shift
        let part = bytes.clamped(to: start..<start &+ PageSize.bytes)
        for byte in part { content[Int(byte - start)] = 0 }
        pages[page] = content
      }
    }
  }

  /// Forgets what lies at and behind byte `size`: should the file grow again, it is zero there.
  public func truncate(to size: UInt64) {
    pages.withLock { pages in
      pages = pages.filter { $0.key < PageSize.pages(covering: size) }
      let tail = Int(size & (PageSize.bytes - 1))
      guard tail != 0, let last = pages[size >> PageSize.shift] else { return }
      pages[size >> PageSize.shift] = last.prefix(tail) + Array(repeating: 0, count: last.count - tail)
    }
  }
}

extension Range<UInt64> {
  /// Whether the whole page lies in this range of bytes.
  fileprivate func covers(page: UInt64) -> Bool {
    page >= PageSize.pages(covering: lowerBound) && page < upperBound >> PageSize.shift
  }
}
