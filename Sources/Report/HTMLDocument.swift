// What every page is: its head with all that it may do, and what it looks like.

import Charts
import System

package struct HTMLDocument {
  private let title: String
  private let scripts: [String]
  private let connects: Bool
  private let style: String

  /// The target of the link by which a keyboard goes past the head.
  package static let content = "content"

  /// - Parameters:
  ///   - scripts: which run when all of the page is there; no others do.
  ///   - connects: whether they may ask the server that the page is from.
  ///   - style: beside that of all pages.
  package init(_ title: String, scripts: [String], connects: Bool, style: String = "") {
    self.title = title
    self.scripts = scripts
    self.connects = connects
    self.style = style
  }

  package func text(_ body: (inout Markup) -> Void) -> String {
    var content = Markup()
    body(&content)
    // No text in the page can hold the digest of all texts in the page.
    let nonce = String(Digest.of(text: content.text).hex.prefix(32))
    var html = Markup()
    html.raw("<!doctype html>\n")
    html.element("html", [("lang", "en")]) { html in
      html.element("head") { head(nonce, &$0) }
      html.element("body") { html in
        html.element("a", [("class", "skip"), ("href", "#\(Self.content)")], "Skip to the content")
        html.raw(content.text)
        for script in scripts { html.element("script", [("nonce", nonce)]) { $0.raw(script) } }
      }
    }
    return html.text
  }

  private func head(_ nonce: String, _ html: inout Markup) {
    html.open("meta", [("charset", "utf-8")])
    for (name, content) in [
      ("viewport", "width=device-width, initial-scale=1"), ("color-scheme", "light dark"),
      ("generator", Program.name),
    ] {
      html.open("meta", [("name", name), ("content", content)])
    }
    html.open("meta", [("http-equiv", "Content-Security-Policy"), ("content", policy(nonce))])
    html.element("title", [], title)
    html.element("style") { $0.raw(Self.style + Markup.pictureRules + style) }
  }

  /// Nothing is fetched, and no script runs but the page's own.
  private func policy(_ nonce: String) -> String {
    let rules = [
      "default-src 'none'", "style-src 'unsafe-inline'", "img-src data:", "base-uri 'none'",
      "form-action \(connects ? "'self'" : "'none'")",
      "script-src \(scripts.isEmpty ? "'none'" : "'nonce-\(nonce)'")",
    ]
    return (rules + (connects ? ["connect-src 'self'"] : [])).joined(separator: "; ")
  }

  private static let style = """
    :root{--ink:#1c1c1c;--quiet:#5f5f5f;--paper:#fff;--panel:#f6f6f4;--line:#dcdcd8;--link:#0b5cad;--bad:#a33000}
    @media(prefers-color-scheme:dark){:root{--ink:#e6e6e3;--quiet:#a5a5a0;--paper:#161616;--panel:#202020;--line:#383838;--link:#7db8f0;--bad:#ff9b6b}}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:1rem clamp(.75rem,3vw,2rem) 3rem;max-width:78rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper)}
    h1{font-size:1.6rem;line-height:1.2;margin:.5rem 0;overflow-wrap:anywhere}
    h2{font-size:1.2rem;margin:2.2rem 0 .8rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}
    h3,h4{font-size:.85rem;margin:0;color:var(--quiet);font-weight:600;overflow-wrap:anywhere}
    a{color:var(--link)}
    :focus-visible{outline:3px solid var(--link);outline-offset:2px}
    .skip{position:absolute;left:-99rem}.skip:focus{left:1rem}
    .quiet,dt{color:var(--quiet)}
    .state{font-size:.8rem;font-weight:600;border:1px solid var(--line);border-radius:1rem;padding:.15rem .7rem;vertical-align:middle;white-space:nowrap}
    nav ul,.logs{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:.8rem 0 0}
    .warning{border-left:4px solid var(--bad);padding:.4rem .8rem;background:var(--panel);overflow-wrap:anywhere;white-space:pre-wrap}
    dl{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,20rem),1fr));gap:.3rem 1.5rem;margin:0}
    dl div{display:flex;gap:.7rem}dt{flex:0 0 7.5rem;overflow-wrap:anywhere}dd{margin:0;overflow-wrap:anywhere;min-width:0}
    .scroll{overflow-x:auto;margin:.6rem 0}
    table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
    th,td{padding:.3rem .7rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
    th{color:var(--quiet);font-weight:600;white-space:nowrap}.number{text-align:right;white-space:nowrap}
    .pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr));gap:1rem}
    figure{margin:0;background:var(--panel);border-radius:.4rem;padding:.3rem}figure svg{width:100%;height:auto;display:block}
    details{margin:.5rem 0}summary{cursor:pointer}
    pre{background:var(--panel);padding:.8rem;overflow-x:auto;font-size:.82rem;line-height:1.45;border-radius:.4rem}
    .filter{display:flex;flex-wrap:wrap;gap:.5rem 1.2rem;align-items:center;margin:.5rem 0 1rem}
    input,select{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:.3rem;padding:.25rem .5rem;max-width:100%}
    .prompt{background:var(--panel);border-radius:.4rem;padding:.7rem .9rem;margin:0 0 .8rem;content-visibility:auto;contain-intrinsic-size:auto 12rem}
    .text{margin:.2rem 0;white-space:pre-wrap;overflow-wrap:anywhere;max-height:22rem;overflow-y:auto}
    .answers{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,17rem),1fr));gap:.5rem 1.2rem;margin-top:.5rem}
    .answers>div{border-left:3px solid var(--line);padding-left:.7rem}
    button{font:inherit;color:var(--link);background:var(--panel);border:1px solid var(--line);border-radius:.3rem;padding:.3rem .9rem;cursor:pointer}
    .scores{margin:0 0 .5rem;font-size:.8rem;color:var(--quiet);font-variant-numeric:tabular-nums}
    [hidden]{display:none}
    @media print{h2{break-after:avoid}nav,.filter,.skip{display:none}body{max-width:none;padding:0}.prompt{break-inside:avoid}section{break-before:auto}figure{break-inside:avoid}details:not([open]){display:none}}

    """
}
