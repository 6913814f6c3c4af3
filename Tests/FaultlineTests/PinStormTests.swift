import FaultlineCheck
import Foundation
import Testing

@testable import Faultline

/// Pages of 2 MiB folios that threads take hold of while others unmap, truncate, punch, split, collapse, move and share
/// them.
@Suite(.serialized) struct PinStormTests {
  @Test(arguments: LockMode.allCases, [1, 2, 3] as [UInt64])
  func nothingIsFreeWhileItIsHeldAndEveryCountIsGivenBack(_ mode: LockMode, seed: UInt64) throws {
    let machine: Machine
    do {
      let stage = try PinStormStage(mode)
      try storm(stage, seed: seed)
      let breaches = Invariants(machine: stage.machine).check()
      #expect(breaches.isEmpty, "\(breaches)")
      #expect(stage.freeWhileHeld.load(ordering: .acquiring) == 0)
      #expect(stage.pagesHeld.load(ordering: .acquiring) > 1_000)
      machine = stage.machine
    }
    // The threads' own hold on the stage ends a little after their part.
    for _ in 0..<1_000 where machine.tables.liveTables > 0 { usleep(1_000) }
    machine.settle()
    let zeroes: UInt64 = machine.auditHugeZeroFrame == nil ? 1 : 1 + PinStormStage.span
    #expect(machine.memory.usedFrames == zeroes)
    #expect(machine.tables.liveTables == 0)
  }

  #if DEBUG || ModelCheck
    @Test func itSeesAPinThatKeepsWhatItTookInALostRace() throws {
      // A broken machine cannot be taken apart; it stays, with what it holds.
      let stage = Unmanaged.passRetained(try PinStormStage(.mmapLock)).takeUnretainedValue()
      var task = FaultTask()
      for page in [PinStormStage.memory, PinStormStage.memory + PinStormStage.span] {
        _ = stage.space.access(VirtualAddress(page: page), .write, by: &task)
      }
      // With a child that stays, every pin for reading of what both show loses its race.
      let child = Unmanaged.passRetained(try stage.space.fork())
      stage.machine.switches.bugs = [.keepsPinOfLostRace]
      try storm(stage, seed: 1, [.references, .pins])
      #expect(Invariants(machine: stage.machine).check().contains { $0.law == .referencesAddUp })
      _ = child
    }
  #endif

  private func storm(
    _ stage: PinStormStage, seed: UInt64, _ parts: [PinStormStage.Part] = PinStormStage.Part.allCases
  ) throws {
    let done = DispatchSemaphore(value: 0)
    for (number, part) in parts.enumerated() {
      let thread = Thread {
        var player = PinPlayer(stage, seed: seed &* 1_000 &+ UInt64(number))
        player.play(part)
        done.signal()
      }
      thread.start()
    }
    for _ in parts { done.wait() }
  }
}
