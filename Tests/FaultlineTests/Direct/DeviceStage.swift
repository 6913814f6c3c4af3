import FaultlineFS
import Testing

@testable import Faultline
@testable import FaultlineCheck

/// A program that maps a device as a whole, on a machine without contents: no byte of the device is ever touched.
final class DeviceStage {
  static let giga: UInt64 = 1 << 18

  let machine: Machine
  let device: RAMDevice
  let pages: DevicePageMap
  let node: FileNode
  let file: OpenFile
  let space: AddressSpace
  var task = FaultTask()
  /// A multiple of 1 GiB.
  let base: UInt64 = 1 << 20

  init(order: UInt64, pages count: UInt64 = DeviceStage.giga) throws {
    machine = try Machine(frameCount: 1 << 14)
    device = try RAMDevice(pageCount: count)
    pages = try machine.pages(of: device, order: order)
    node = try FileNode(machine: machine, device: pages)
    file = OpenFile(node: node, mode: .readWrite)
    space = try AddressSpace(machine: machine)
  }

  func map(
    at offset: UInt64 = 0, pages: UInt64? = nil, devicePage: UInt64 = 0, _ flags: MapFlags = .shared
  ) throws {
    try space.mmap(
      address: VirtualAddress(page: base + offset), length: (pages ?? device.pageCount) << PageSize.shift,
      protection: [.read, .write], flags: flags.union(.fixed), file: file, offset: devicePage << PageSize.shift,
      by: &task)
  }

  func address(_ page: UInt64) -> VirtualAddress { VirtualAddress(page: base + page) }

  func range(_ pages: Range<UInt64>) -> Range<VirtualAddress> { address(pages.lowerBound)..<address(pages.upperBound) }

  @discardableResult
  func touch(_ page: UInt64, _ access: Access = .write) -> Signal? { space.access(address(page), access, by: &task) }

  func entry(_ page: UInt64) -> PageTableEntry { space.entry(ofPage: base + page) }

  /// The page of the device that an entry shows.
  func devicePage(_ page: UInt64) -> UInt64 { pages.page(of: machine.memory.frame(entry(page).frame)) }

  func folio(ofDevicePage page: UInt64) -> Folio { Folio(of: pages.frame(ofPage: page)) }

  /// The pages of the device that are held, in the order of addresses.
  func heldDevicePages(_ held: borrowing PinnedPages) -> [UInt64] {
    var found: [UInt64] = []
    held.forEachPage { found.append(pages.page(of: machine.memory.frame($0))) }
    return found
  }

  func violations(held: [UInt64: UInt64] = [:]) -> [String] {
    Invariants(machine: machine, held: held).check().map(\.description)
  }
}

/// The errno of what `body` refuses; `nil` when it does not.
func errno(of body: () throws -> Void) -> Errno? {
  do { try body() } catch { return (error as? KernelError)?.errno }
  return nil
}
