import FaultlineFS
import Testing

/// Whatever is in an image, nothing that reads it traps or hangs.
@Suite struct ImageMutationTests {
  @Test(arguments: MetadataMode.allCases, [true, false])
  func noImageBringsDownMountOrCheck(mode: MetadataMode, isUnmounted: Bool) throws {
    var mutation = try ImageMutation(mode, isUnmounted: isUnmounted, seed: isUnmounted ? 1 : 2)
    let count = Hunt.count("FAULTLINE_HUNT_IMAGES", orElse: 1800) / 6
    try mutation.run(count)
    // The changes are neither all caught by a checksum nor all harmless.
    #expect(mutation.mounted > count / 10 && mutation.mounted < count)
    #expect(mutation.clean < count)
    if count > 1000 {
      print(
        "\(mode), unmounted: \(isUnmounted): \(mutation.images) images, \(mutation.mounted) mounted, \(mutation.clean) clean"
      )
    }
  }
}
