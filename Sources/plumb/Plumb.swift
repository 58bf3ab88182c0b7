// The command line.

@main struct Plumb { static func main() {} }
