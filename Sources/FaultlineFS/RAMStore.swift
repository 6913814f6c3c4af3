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

  public init() {}

  public func read(firstPage: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
    let size = Int(PageSize.bytes)
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
    pages.withLock { pages in
      for offset in stride(from: 0, to: buffer.count, by: size) {
        let source = buffer[offset..<min(offset + size, buffer.count)]
        pages[firstPage &+ UInt64(offset / size)] = Array(source) + Array(repeating: 0, count: size - source.count)
      }
    }
  }

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
