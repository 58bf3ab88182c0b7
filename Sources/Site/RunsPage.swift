// All runs in a table, the newest first, to filter and to choose from.

import Charts
import JSON
import Mustache
import Report
import Runner
import System

struct RunsPage {
  private let runs: [RunSummary]
  /// By experiment: parameters in which its runs differ.
  private let differing: [String: [String]]

  init(_ runs: [RunSummary]) {
    self.runs = runs.reversed()
    differing = Dictionary(grouping: runs, by: \.experiment).mapValues { runs in
      let names = runs.reduce(into: [String]()) { names, run in
        for name in run.parameters.keys where !names.contains(name) { names.append(name) }
      }
      return names.filter { runs.differ(in: $0) }
    }
  }

  var html: String {
    get throws {
      let template = try MustacheTemplate(string: Self.template)
      let experiments = runs.reduce(into: [String]()) { names, run in
        if !names.contains(run.experiment) { names.append(run.experiment) }
      }
      return template.render(
        [
          "style": PageHTML.style + Self.style, "script": Self.script,
          "policy": PageHTML.policy(scripts: [Self.script], connects: true), "count": String(runs.count),
          "experiments": experiments.map { ["name": PageHTML.shown($0)] }, "program": Program.name,
          "runs": runs.map(row),
        ] as [String: Any])
    }
  }

  private func row(_ run: RunSummary) -> [String: Any] {
    let metrics = run.metrics.members.filter { $0.value != [] }.prefix(6).map {
      "\($0.key) \(RunTable.shown($0.value))"
    }
    let parameters = (differing[run.experiment] ?? []).prefix(8).compactMap { name in
      run.parameters[name].map { "\(name)=\(RunTable.plain($0))" }
    }
    var row: [String: Any] = [
      "id": PageHTML.shown(run.id), "link": HTTPRequest.encoded(run.id),
      "experiment": PageHTML.shown(run.experiment),
      "state": run.state.rawValue, "began": String(run.started.prefix(16).map { $0 == "T" ? " " : $0 }),
      "took": run.seconds.map(duration) ?? "", "stages": "\(run.executed) + \(run.cached) of \(run.nodes)",
      "metrics": PageHTML.shown(metrics.joined(separator: " · ")),
      "parameters": PageHTML.shown(parameters.joined(separator: " ")),
    ]
    if let trial = run.trial { row["trial"] = "trial \(trial.number)" }
    return row
  }

  private static let style = """
    table{width:100%}td small{color:var(--quiet);overflow-wrap:anywhere}td.metrics{overflow-wrap:anywhere;min-width:14rem}progress{width:7rem}
    .compare{position:sticky;bottom:.8rem}tr.running .state{border-color:var(--link)}tr.failed .state{border-color:var(--bad)}

    """

  private static let template = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="{{{policy}}}">
    <title>Runs</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <header><h1>Runs</h1>
    <form class="filter" role="search" action="/compare">
    <label>Search <input type="search" id="words" placeholder="in names, parameters, metrics" autocomplete="off"></label>
    <label>Experiment <select id="experiment"><option value="">all</option>{{#experiments}}<option>{{name}}</option>{{/experiments}}</select></label>
    <label>State <select id="state"><option value="">all</option><option>running</option><option>done</option><option>failed</option><option>interrupted</option><option>ended</option></select></label>
    <output id="shown" aria-live="polite">{{count}} runs</output>
    </form></header>
    <main id="content">
    <form action="/compare" method="get">
    <div class="scroll" tabindex="0" role="region" aria-label="Runs"><table>
    <thead><tr><th scope="col"><span class="skip">compare</span></th><th scope="col">run</th><th scope="col">state</th><th scope="col">began</th><th scope="col">took</th><th scope="col">stages</th><th scope="col">metrics</th></tr></thead>
    <tbody id="runs">
    {{#runs}}<tr class="{{state}}" data-id="{{id}}" data-experiment="{{experiment}}" data-state="{{state}}"><td><input type="checkbox" name="run" value="{{id}}" aria-label="compare {{id}}"></td><td><a href="/run/{{{link}}}">{{experiment}}</a> {{#trial}}<a href="/sweep/{{{link}}}">{{.}}</a>{{/trial}}<br><small>{{id}}<br>{{parameters}}</small></td><td><span class="state">{{state}}</span><div class="now"></div></td><td class="number">{{began}}</td><td class="number">{{took}}</td><td>{{stages}}</td><td class="metrics">{{metrics}}</td></tr>
    {{/runs}}
    </tbody></table></div>
    {{^runs}}<p>There is no run yet: <code>{{program}} run EXPERIMENT</code> starts one.</p>{{/runs}}
    <p class="compare"><button type="submit" id="compare" hidden>Compare</button></p>
    </form>
    </main>
    <script>{{{script}}}</script>
    </body>
    </html>

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
