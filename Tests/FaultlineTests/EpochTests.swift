import Foundation
import Testing

@testable import Faultline

@Suite struct EpochTests {
  @Test(arguments: [EpochDomain.Fence.asymmetric, .full])
  func whatAReaderMaySeeIsNotFreed(fence: EpochDomain.Fence) {
    let domain = EpochDomain(fence: fence)
    let reader = domain.register()
    reader.enter()
    nonisolated(unsafe) var isFreed = false
    domain.retire { isFreed = true }
    for _ in 0..<10 { domain.collect() }
    #expect(!isFreed)
    reader.exit()
    domain.collect()
    #expect(isFreed)
    #expect(domain.pendingCount == 0)
  }

  @Test func aReaderThatCameLaterDoesNotHoldUpWhatWasRetiredBefore() {
    let domain = EpochDomain()
    nonisolated(unsafe) var isFreed = false
    domain.retire { isFreed = true }
    domain.collect()
    let reader = domain.register()
    reader.enter()
    domain.collect()
    domain.collect()
    #expect(isFreed)
    reader.exit()
  }

  @Test func nestedEntriesCountAsOne() {
    let domain = EpochDomain()
    let reader = domain.register()
    reader.enter()
    reader.enter()
    reader.exit()
    nonisolated(unsafe) var isFreed = false
    domain.retire { isFreed = true }
    for _ in 0..<5 { domain.collect() }
    #expect(!isFreed)
    reader.exit()
    domain.collect()
    #expect(isFreed)
  }

  @Test func aReaderThatStaysIsNamed() {
    let domain = EpochDomain()
    _ = domain.register()
    let second = domain.register()
    second.enter()
    domain.retire {}
    #expect(throws: EpochDomain.Stalled.self) { try domain.drain() }
    second.exit()
    #expect(throws: Never.self) { try domain.drain() }
    #expect(domain.pendingCount == 0)
  }

  @Test func recordsAreUsedAgain() {
    let domain = EpochDomain()
    let first = domain.register()
    domain.unregister(first)
    #expect(domain.register() == first)
  }
}
