import Faultline

/// What a device held at one time; pages of zeroes take no room.
public struct DeviceImage: Sendable, Hashable {
  public let pageCount: UInt64
  /// Pages with a byte that is not zero, ascending.
  private var pages: [Page] = []

  private struct Page: Sendable, Hashable {
    let number: UInt64
    let bytes: [UInt8]
  }

  /// Copies every page of a device.
  public init(of device: any DAXDevice) {
    self.init(device, pages: 0..<device.pageCount)
  }

  /// Copies some pages, ascending; the others are taken for zeroes.
  init(_ device: any DAXDevice, pages numbers: some Sequence<UInt64>) {
    pageCount = device.pageCount
    for number in numbers {
      let bytes = UnsafeRawBufferPointer(
        start: device.bytes + Int(number << PageSize.shift), count: Int(PageSize.bytes))
      guard bytes.contains(where: { $0 != 0 }) else { continue }
      pages.append(Page(number: number, bytes: Array(bytes)))
    }
  }

  /// Puts the image on a device of the same size or a larger one that holds zeroes only.
  public func restore(on device: any DAXDevice) {
    for page in pages where page.number < device.pageCount {
      page.bytes.withUnsafeBytes { device.store($0, at: page.number << PageSize.shift) }
    }
  }
}
