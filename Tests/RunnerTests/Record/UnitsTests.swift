// Sizes and times as people write them.

import Runner
import System
import Testing

@Suite struct UnitsTests {
  @Test(arguments: [
    ("90s", 90), ("250ms", 0.25), ("1.5 min", 90), ("2m", 120), ("4h", 14_400), ("7d", 604_800), ("3", 3),
    ("1e2s", 100),
  ])
  func `a time is a number and a unit`(text: String, seconds: Double) {
    #expect(Units.time.value(text) == seconds)
  }

  @Test(arguments: ["", "s", "1 hour", "1:30", "4 x", "infs", "1e400h", "min"])
  func `what is no time has no value`(text: String) {
    #expect(Units.time.value(text) == nil)
  }

  @Test(arguments: [
    ("512MiB", 512 << 20), ("10 GiB", 10 << 30), ("1.5TiB", 3 << 39), ("2kB", 2000), ("3 B", 3),
    ("4096", 4096),
  ])
  func `a size is a number and a unit`(text: String, bytes: Int) {
    #expect(ByteCount(text) == ByteCount(bytes))
  }

  @Test(arguments: ["-1", "9e9TiB", "12 GB/s", "KiB"])
  func `what is no size, or does not fit, is none`(text: String) {
    #expect(ByteCount(text) == nil)
  }

  @Test func `a size is shown in three digits, and a whole one without a fraction`() {
    let shown = [
      (0, "0 B"), (512, "512 B"), (1536, "1.50 KiB"), (8 << 30, "8 GiB"), (12_900_000, "12.3 MiB"),
    ]
    for (bytes, text) in shown { #expect(ByteCount(bytes).text == text) }
  }
}
