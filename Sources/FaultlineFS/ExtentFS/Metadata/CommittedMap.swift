import Faultline

/// Where a file lies by what is durable of its metadata: what is found after a crash.
struct CommittedMap {
  var size: UInt64 = 0
  var extents = ExtentList()

  /// Whether these bytes of the file, up to its end, are written blocks from byte `address` of the device on.
  func shows(_ range: Range<UInt64>, at address: UInt64) -> Bool {
    let pages = range.lowerBound >> PageSize.shift..<PageSize.pages(covering: range.upperBound)
    guard range.lowerBound < size, pages.upperBound <= PageSize.pages(covering: size) else { return false }
    var page = pages.lowerBound
    while page < pages.upperBound {
      guard case .extent(let index) = extents.place(page) else { return false }
      let extent = extents.items[index]
      let block = address >> PageSize.shift + (page - pages.lowerBound)
      guard extent.isWritten, extent.block + (page - extent.page) == block else { return false }
      page = extent.end
    }
    return true
  }
}
