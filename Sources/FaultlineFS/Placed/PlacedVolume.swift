import Faultline
import Synchronization

/// A file system on a DAX device whose blocks lie where its maker wants them: for recordings, whose kernels have chosen the
/// places already, and for tests. Its metadata is in memory; what a crash would leave of it is counted, not stored.
///
/// Any thread may use it.
public final class PlacedVolume: Sendable {
  /// How an unwritten extent becomes written.
  public enum Conversion: Sendable, Hashable {
    /// As ext4: up to 8 blocks at a time on either side of what was asked for are zeroed along with it, rather than split off.
    /// Kernel: `ext4_ext_convert_to_initialized`, `extent_max_zeroout_kb`.
    case zeroesNeighbours
    /// As XFS: what was asked for.
    case exact
  }

  /// What a place is wanted for.
  public typealias Placement = @Sendable (_ file: String, _ page: UInt64) -> UInt64?

  public let device: any DAXDevice
  public let conversion: Conversion
  /// The page of the device, modulo 512, on which a page of a file shall lie; `nil` where it does not matter.
  private let placement: Placement
  private let state = Mutex(State())

  private struct State {
    var files: UInt64 = 0
    var regions: UInt64 = 1
    var regionOf: [Region: UInt64] = [:]
  }

  /// Pages of one file that keep their distances on the device.
  private struct Region: Hashable {
    let inode: UInt64
    let part: UInt64
    let residue: UInt64
    /// What was given back is used again only after the commit that gives it back: until then there is another place.
    let generation: UInt64
  }

  private static let regionPages: UInt64 = 1 << 13

  public init(device: any DAXDevice, conversion: Conversion, placement: @escaping Placement = { _, _ in nil }) {
    self.device = device
    self.conversion = conversion
    self.placement = placement
  }

  /// An empty file.
  ///
  /// - Parameter residue: where the file begins, modulo 512 pages, as long as nobody wants it elsewhere.
  public func makeFile(_ name: String, residue: UInt64 = 0) -> PlacedFile {
    let inode = state.withLock { state in
      state.files += 1
      return state.files + 11
    }
    return PlacedFile(name: name, inode: inode, residue: residue, volume: self)
  }

  /// Where a page of a file lies on the device.
  ///
  /// - Parameter freed: the places that its file has given back and that may not be used again yet.
  /// - Throws: `ENOSPC` when the device has no such place left.
  func place(_ page: UInt64, of file: PlacedFile, except freed: Set<UInt64>) throws(KernelError) -> UInt64 {
    let shift = placement(file.name, page).map { $0 &- page } ?? file.residue
    let residue = shift & (PageSize.entriesPerTable - 1)
    var generation: UInt64 = 0
    while true {
      let region = Region(
        inode: file.inode, part: page / Self.regionPages, residue: residue, generation: generation)
      let place = try place(page, in: region)
      if !freed.contains(place) { return place }
      generation += 1
    }
  }

  private func place(_ page: UInt64, in region: Region) throws(KernelError) -> UInt64 {
    let number = state.withLock { state in
      if let known = state.regionOf[region] { return known }
      state.regionOf[region] = state.regions
      state.regions += 1
      return state.regions - 1
    }
    // A region and room for its shift.
    let first = number * (Self.regionPages + PageSize.entriesPerTable)
    let place = first + page % Self.regionPages + region.residue
    guard place < device.pageCount else { throw KernelError(.ENOSPC, "the device has no room left") }
    return place
  }
}
