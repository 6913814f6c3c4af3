import Testing

@testable import Faultline

/// What metadata costs, against the numbers that were published for a TiB.
@Suite struct DeviceMetadataTests {
  private static let tebibyte: UInt64 = 1 << 28
  private static let (mebi, gibi): (UInt64, UInt64) = (1 << 20, 1 << 30)

  @Test func aTebibyteCostsWhatWasPublished() throws {
    let base = try DeviceMetadata(pageCount: Self.tebibyte, order: 0)
    let huge = try DeviceMetadata(pageCount: Self.tebibyte, order: 9)
    let gigantic = try DeviceMetadata(pageCount: Self.tebibyte, order: 18)
    #expect(base.plainBytes == 16 * Self.gibi && base.sharedBytes == base.plainBytes && base.tableBytes == 0)
    #expect(huge.sharedBytes == 4 * Self.gibi)
    #expect(gigantic.sharedBytes == 8 * Self.mebi)
    #expect(gigantic.sharedBytes + gigantic.tableBytes == 40 * Self.mebi)
    #expect(huge.tableBytes == gigantic.tableBytes && base.savedBytes == 0)
    #expect([base, huge, gigantic].allSatisfy { $0.savedBytes <= $0.plainBytes })
  }

  @Test func ofAFoliosBackingPagesTwoAreReal() throws {
    let huge = try DeviceMetadata(pageCount: 512, order: 9)
    let gigantic = try DeviceMetadata(pageCount: 1 << 18, order: 18)
    #expect(huge.backingPagesPerFolio == 8 && gigantic.backingPagesPerFolio == 4096)
    #expect(huge.sharedBytes == 2 * 4096 && gigantic.sharedBytes == 2 * 4096)
    // One table reaches over 64 such folios: alone, a folio saves less than that.
    #expect(huge.tableBytes == 4096 && huge.savedBytes == 5 * 4096)
  }

  @Test func theEngineSpendsAsMuchOnEveryPage() throws {
    #expect(UInt64(MemoryLayout<Frame>.stride) == DeviceMetadata.bytesPerPage)
    let stage = try DeviceStage(order: 9)
    #expect(stage.pages.metadataBytes == stage.pages.kernelMetadata?.plainBytes)
  }

  @Test func oddNumbersAreRefused() {
    for (pages, order): (UInt64, UInt64) in [(511, 9), (512, 18), (512, 10), (512, 64), (.max, 0), (.max - 511, 9)] {
      #expect(errno { _ = try DeviceMetadata(pageCount: pages, order: order) } == .EINVAL)
    }
    #expect(errno { _ = try DeviceMetadata(pageCount: DeviceMetadata.largestPageCount, order: 18) } == nil)
  }
}
