// All runs in a table, the newest first, to filter and to choose from.

import Charts
import JSON
import Report
import Runner
import System

struct RunsPage {
  private let runs: [RunSummary]
  /// By experiment: parameters in which its runs differ.
  private let differing: [UTF8Key: [String]]

  init(_ runs: [RunSummary]) {
    self.runs = runs.reversed()
    differing = Dictionary(grouping: runs) { UTF8Key($0.experiment) }.mapValues { runs in
      runs.flatMap(\.parameters.keys).distinct().filter { runs.differ(in: $0) }
    }
  }

  var html: String {
    HTMLDocument("Runs", scripts: [Self.script], connects: true, style: Self.style).text { html in
      html.element("header") { html in
        html.element("h1", [], "Runs")
        filter(&html)
      }
      html.element("main", [("id", HTMLDocument.content)]) { html in
        html.element("form", [("action", "/compare"), ("method", "get")]) { html in
          table(&html)
          if runs.isEmpty {
            html.element("p", [], "There is no run yet: `\(Program.name) run EXPERIMENT` starts one.")
          }
          html.element("p", [("class", "compare")]) { html in
            html.element("button", [("type", "submit"), ("id", "compare"), ("hidden", "")], "Compare")
          }
        }
      }
    }
  }

  private func filter(_ html: inout Markup) {
    let experiments = runs.map(\.experiment).distinct()
    func choice(_ name: String, _ id: String, _ options: [String], _ html: inout Markup) {
      html.element("label") { html in
        html.text(name + " ")
        html.element("select", [("id", id)]) { html in
          html.element("option", [("value", "")], "all")
          for option in options { html.element("option", [], option) }
        }
      }
    }
    html.element("form", [("class", "filter"), ("role", "search")]) { html in
      html.element("label") { html in
        html.text("Search ")
        html.open(
          "input",
          [
            ("type", "search"), ("id", "words"), ("placeholder", "in names, parameters, metrics"),
            ("autocomplete", "off"),
          ])
      }
      choice("Experiment", "experiment", experiments, &html)
      choice("State", "state", ["running", "done", "failed", "interrupted", "ended"], &html)
      let count = "\(runs.count) \(runs.count == 1 ? "run" : "runs")"
      html.element("output", [("id", "shown"), ("aria-live", "polite")], count)
    }
  }

  private func table(_ html: inout Markup) {
    let region = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", "Runs")]
    html.element("div", region) { html in
      html.element("table") { html in
        html.element("thead") { html in
          html.element("tr") { html in
            for name in ["", "run", "state", "began", "took", "stages", "metrics"] {
              html.element("th", [("scope", "col")], name)
            }
          }
        }
        html.element("tbody", [("id", "runs")]) { html in for run in runs { row(run, &html) } }
      }
    }
  }

  private func row(_ run: RunSummary, _ html: inout Markup) {
    let (state, link) = (run.state.rawValue, HTTPRequest.encoded(run.id))
    let metrics = run.metrics.members.filter { $0.value != [] }.prefix(6).map {
      "\($0.key) \(RunTable.shown($0.value))"
    }
    let parameters = (differing[UTF8Key(run.experiment)] ?? []).prefix(8).compactMap { name in
      run.parameters[name].map { "\(name)=\(RunTable.plain($0))" }
    }
    let attributes = [
      ("class", state), ("data-id", run.id), ("data-experiment", run.experiment), ("data-state", state),
    ]
    html.element("tr", attributes) { html in
      html.element("td") { html in
        html.open(
          "input",
          [
            ("type", "checkbox"), ("name", "run"), ("value", run.id), ("aria-label", "compare \(run.id)"),
          ])
      }
      html.element("td") { html in
        html.element("a", [("href", "/run/\(link)")], run.experiment)
        if let trial = run.trial { html.element("a", [("href", "/sweep/\(link)")], "trial \(trial.number)") }
        html.open("br")
        html.element("small", [], run.id)
        html.open("br")
        html.element("small", [], parameters.joined(separator: " "))
      }
      html.element("td") { html in
        html.element("span", [("class", "state")], state)
        html.element("div", [("class", "now")])
      }
      html.element("td", [("class", "number")], String(run.started.prefix(16).map { $0 == "T" ? " " : $0 }))
      html.element("td", [("class", "number")], run.seconds.map(duration) ?? "")
      html.element("td", [], "\(run.executed) + \(run.cached) of \(run.nodes)")
      html.element("td", [("class", "metrics")], metrics.joined(separator: " · "))
    }
  }

  private static let style = """
    table{width:100%}td small{color:var(--quiet);overflow-wrap:anywhere}td.metrics{overflow-wrap:anywhere;min-width:14rem}progress{width:7rem}
    .compare{position:sticky;bottom:.8rem}tr.running .state{border-color:var(--link)}tr.failed .state{border-color:var(--bad)}

    """

  /// Filters, and follows what runs: a run that has begun or ended fetches the table anew.
  private static let script = """
    (function(){
    var words=document.getElementById('words'),experiment=document.getElementById('experiment'),state=document.getElementById('state'),shown=document.getElementById('shown'),compare=document.getElementById('compare'),texts=new WeakMap();
    function rows(){return Array.prototype.slice.call(document.querySelectorAll('#runs tr'))}
    function update(){
    var wanted=words.value.toLowerCase().split(/\\s+/).filter(Boolean),count=0;
    rows().forEach(function(row){
    if(!texts.has(row))texts.set(row,row.textContent.toLowerCase());
    var fits=(!experiment.value||row.dataset.experiment===experiment.value)&&(!state.value||row.dataset.state===state.value)&&wanted.every(function(word){return texts.get(row).indexOf(word)>=0});
    row.hidden=!fits;if(fits)count+=1;});
    shown.textContent=count+(count===1?' run':' runs');}
    function chosen(){compare.hidden=document.querySelectorAll('#runs input:checked').length<2;}
    document.querySelector('form').addEventListener('submit',function(event){event.preventDefault()});
    [words,experiment,state].forEach(function(each){each.addEventListener('input',update)});
    document.addEventListener('change',chosen);
    var known=null,source=new EventSource('/events');
    source.onmessage=function(event){
    var news=JSON.parse(event.data);
    if(known!==null&&known!==news.states){
    fetch('/').then(function(answer){return answer.text()}).then(function(text){
    var fresh=new DOMParser().parseFromString(text,'text/html').getElementById('runs');
    var checked=Array.prototype.map.call(document.querySelectorAll('#runs input:checked'),function(each){return each.value});
    document.getElementById('runs').replaceWith(fresh);
    document.querySelectorAll('#runs input').forEach(function(each){each.checked=checked.indexOf(each.value)>=0});
    update();chosen();});}
    known=news.states;
    rows().forEach(function(row){
    var now=news.running[row.dataset.id],place=row.querySelector('.now');place.textContent='';
    if(!now)return;
    var bar=document.createElement('progress');bar.max=now.total;bar.value=now.done;bar.setAttribute('aria-label',now.done+' of '+now.total+' stages');
    var line=document.createElement('small');line.textContent=now.text;place.append(bar,document.createElement('br'),line);});};
    update();chosen();
    })();
    """
}
