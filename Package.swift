// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [.enableUpcomingFeature("ExistentialAny"), .treatAllWarnings(as: .error)]

let package = Package(
  name: "Faultline",
  products: [
    .library(name: "Faultline", targets: ["Faultline", "FaultlineFS"]),
    .library(name: "FaultlineCheck", targets: ["FaultlineCheck"]),
    .executable(name: "faultline", targets: ["FaultlineTool"]),
  ],
  traits: [
    .trait(
      name: "ModelCheck",
      description: "Every shared word of the engine becomes a scheduling point of the interleaving explorer.")
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    .target(name: "CLinux"),
    .target(name: "Faultline", dependencies: ["CLinux"], swiftSettings: strict),
    .target(name: "FaultlineFS", dependencies: ["CLinux", "Faultline"], swiftSettings: strict),
    .target(name: "FaultlineCheck", dependencies: ["CLinux", "Faultline", "FaultlineFS"], swiftSettings: strict),
    .target(
      name: "FaultlineWhatIf",
      dependencies: [
        "CLinux", "Faultline", "FaultlineFS", .product(name: "Histogram", package: "hdrhistogram-swift"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "FaultlineTool",
      dependencies: [
        "CLinux", "Faultline", "FaultlineFS", "FaultlineCheck", "FaultlineWhatIf",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "FaultlineTests", dependencies: ["Faultline", "FaultlineFS", "FaultlineCheck"], swiftSettings: strict),
    .testTarget(name: "FaultlineFSTests", dependencies: ["Faultline", "FaultlineFS"], swiftSettings: strict),
    .testTarget(
      name: "FaultlineCheckTests", dependencies: ["FaultlineCheck", "FaultlineFS"],
      resources: [.copy("Recordings")], swiftSettings: strict),
    .executableTarget(
      name: "faultline-toucher", dependencies: ["FaultlineWhatIf"], path: "Sources/FaultlineToucher",
      swiftSettings: strict),
    .testTarget(
      name: "FaultlineWhatIfTests", dependencies: ["FaultlineWhatIf", "faultline-toucher", "FaultlineTool"],
      resources: [.copy("Recordings")], swiftSettings: strict),
  ],
  swiftLanguageModes: [.v6]
)
