import Faultline
import FaultlineCheck
import FaultlineFS
import Foundation
import Testing

/// Which images a crash may leave: the rules of the device, held against counts made by hand and by brute force.
@Suite struct CrashImageTests {
  @Test func imagesAreTheProductOfStoresPlusOne() throws {
    let report = try explore { device, _ in
      for (line, stores) in [(0, 2), (5, 1), (9, 3)] {
        for store in 1...UInt64(stores) { device.put(store, at: UInt64(line) * 64) }
      }
    }
    #expect(report.images == (2 + 1) * (1 + 1) * (3 + 1))
    #expect(report.exhaustiveGroups == 1)
  }

  @Test func whatIsFencedSurvives() throws {
    let report = try explore(
      { device, promise in
        device.put(1, at: 0)
        try device.persist(0..<8)
        promise()
        device.put(2, at: 64)
      }, broken: { device, promised in promised && device.word(0) != 1 })
    #expect(report.finding == nil)
    #expect(report.images == 3)
  }

  @Test func aFlushWithoutFenceMakesNothingDurable() throws {
    let report = try explore(
      { device, promise in
        device.put(1, at: 0)
        device.flush(0..<8)
        promise()
      }, broken: { device, promised in promised && device.word(0) != 1 })
    #expect(report.finding != nil)
  }

  @Test func aStoreAfterTheFlushIsNotCoveredByIt() throws {
    let report = try explore(
      { device, promise in
        device.put(1, at: 0)
        device.flush(0..<8)
        device.put(2, at: 0)
        try device.fence()
        promise()
      }, broken: { device, promised in promised && device.word(0) == 0 })
    #expect(report.finding == nil)
    #expect(report.images == 3)
  }

  @Test func anotherThreadsFenceMakesNothingDurable() throws {
    let report = try explore(
      { device, promise in
        device.put(1, at: 0)
        device.flush(0..<8)
        onAnotherThread {
          // Its fence settles something: only not this thread's line.
          device.put(1, at: 64)
          try? device.persist(64..<72)
        }
        promise()
      }, broken: { device, promised in promised && device.word(0) != 1 })
    #expect(report.finding?.saved.cut.losses == [SavedCrash.Loss(line: 0, kept: 0)])
  }

  @Test func storesToOneLineSurviveInTheirOrder() throws {
    let report = try explore(
      { device, _ in
        device.put(1, at: 0)
        device.put(1, at: 56)
      }, broken: { device, _ in device.word(56) == 1 && device.word(0) == 0 })
    #expect(report.finding == nil)
    #expect(report.images == 3)
  }

  @Test func storesToTwoLinesSurviveInAny() throws {
    let report = try explore(
      { device, _ in
        device.put(1, at: 0)
        device.put(1, at: 64)
      }, broken: { device, _ in device.word(64) == 1 && device.word(0) == 0 })
    #expect(report.finding != nil)
    #expect(report.finding?.saved.cut.losses == [SavedCrash.Loss(line: 0, kept: 0)])
  }

  @Test func aLongStoreTearsBetweenAtomsOnly() throws {
    let report = try explore(
      { device, _ in
        [UInt8](repeating: 0xAB, count: 20).withUnsafeBytes { device.store($0, at: 60) }
      },
      broken: { device, _ in
        ![0, 0xABAB_ABAB_0000_0000].contains(device.word(56)) || ![0, 0xABAB_ABAB_ABAB_ABAB].contains(device.word(64))
      })
    #expect(report.finding == nil)
    // Half an atom in the first line; an atom, and an atom in two, in the second.
    #expect(report.images == 2 * 3)
  }

  @Test func equalImagesAreTriedOnce() throws {
    let report = try explore { device, _ in
      device.put(1, at: 0)
      device.put(1, at: 0)
      device.put(0, at: 0)
      device.zero(4096..<8192)
    }
    #expect(report.images == 2)
  }

  @Test func anImageIsUntouchedByWhatTheOneBeforeDid() throws {
    let report = try explore(
      { device, _ in
        for line in 0..<6 { device.put(1, at: UInt64(line) * 64) }
      },
      broken: { device, _ in
        let isFresh = device.word(8) == 0 && device.word(4096) == 0
        device.zero(0..<4096)
        device.put(7, at: 8)
        device.put(7, at: 4096)
        return !isFresh
      })
    #expect(report.finding == nil)
    #expect(report.images == 64)
  }

  @Test func aHundredThousandImagesTakeSeconds() throws {
    let scenario = RawScenario({ device, _ in
      for line in 0..<17 { device.put(1, at: UInt64(line) * 64) }
    }) { device, _ in device.word(17 * 64) != 0 }
    let clock = ContinuousClock()
    let start = clock.now
    let report = try CrashExplorer(CrashLimits(combinations: 1 << 17)).explore(scenario)
    #expect(report.images == 1 << 17)
    #expect(report.finding == nil)
    #expect(clock.now - start < .seconds(60), "\(clock.now - start)")
  }

  /// Everything that a recording allows, at every one of its points, by the rules in their plainest form.
  @Test(arguments: 0..<60) func noImageIsMissedAndNoneIsMadeUp(_ seed: UInt64) throws {
    let steps = Step.draw(24, seed: seed)
    let seen = SeenImages(words: Step.lines * 8)
    let report = try CrashExplorer(CrashLimits(combinations: 1 << 20)).explore(
      RawScenario({ device, _ in for step in steps { try step.apply(to: device) } }) { device, _ in
        seen.insert(device)
        return false
      })
    let expected = PlainCrashes(steps).images
    #expect(seen.images == expected)
    #expect(report.images == expected.count)
  }

  @Test func whatIsTooMuchIsDrawnTheSameWayEachTime() throws {
    func report(_ limits: CrashLimits) throws -> (CrashReport, Set<[UInt64]>) {
      let seen = SeenImages(words: 320)
      let scenario = RawScenario({ device, _ in
        for line in 0..<40 { device.put(1, at: UInt64(line) * 64) }
      }) { device, _ in
        seen.insert(device)
        return false
      }
      return (try CrashExplorer(limits).explore(scenario), seen.images)
    }
    let (first, images) = try report(CrashLimits(samples: 100, seed: 5))
    let (_, again) = try report(CrashLimits(samples: 100, seed: 5))
    let (_, other) = try report(CrashLimits(samples: 100, seed: 6))
    #expect(first.sampledGroups == 1)
    #expect(first.exhaustiveGroups == 0)
    #expect(images == again)
    #expect(images != other)
    for line in 0..<40 {
      #expect(images.contains { $0.enumerated().allSatisfy { $1 == ($0 == line * 8 ? 1 : 0) } }, "only line \(line)")
      #expect(
        images.contains { $0.enumerated().allSatisfy { $1 == ($0 % 8 == 0 && $0 != line * 8 ? 1 : 0) } },
        "all but line \(line)")
    }
  }
}

private func explore(
  _ run: @escaping @Sendable (RecordingDevice, RawScenario.Promising) throws -> Void,
  broken: @escaping @Sendable (any DAXDevice, Bool) -> Bool = { _, _ in false }
) throws -> CrashReport {
  try CrashExplorer().explore(RawScenario(run, broken))
}

private func onAnotherThread(_ body: @escaping @Sendable () -> Void) {
  let done = DispatchSemaphore(value: 0)
  Thread.detachNewThread {
    body()
    done.signal()
  }
  done.wait()
}
