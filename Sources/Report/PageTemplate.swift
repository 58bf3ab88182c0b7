// What every page looks like.

enum PageTemplate {
  static let page = """
    <!doctype html>
    <html lang="en">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <meta http-equiv="Content-Security-Policy" content="{{{policy}}}">
    <meta name="generator" content="{{program}}">
    <title>{{title}}</title>
    <style>{{{style}}}</style>
    </head>
    <body>
    <a class="skip" href="#content">Skip to the content</a>
    <header>
    <h1>{{title}} <span class="state">{{state}}</span></h1>
    <p class="quiet">{{subtitle}}</p>
    {{#around}}<nav class="around" aria-label="Other pages"><ul>{{#links}}<li><a href="{{{target}}}">{{words}}</a></li>{{/links}}</ul></nav>{{/around}}
    {{#logs}}<details><summary>Logs</summary><ul class="logs">{{#links}}<li><a href="{{{target}}}">{{words}}</a></li>{{/links}}</ul></details>{{/logs}}
    {{#events}}<pre id="now" data-events="{{{.}}}" aria-live="polite">…</pre>{{/events}}
    <nav aria-label="Sections"><ul>{{#sections}}<li><a href="#{{anchor}}">{{heading}}</a></li>{{/sections}}</ul></nav>
    </header>
    <main id="content">
    {{#sections}}
    <section id="{{anchor}}" aria-labelledby="{{anchor}}-title">
    <h2 id="{{anchor}}-title">{{heading}}</h2>
    {{#blocks}}
    {{#paragraph}}<p>{{.}}</p>{{/paragraph}}{{#warning}}<p class="warning" role="note">{{.}}</p>{{/warning}}
    {{#facts}}<dl>{{#each}}<div><dt>{{term}}</dt><dd>{{detail}}</dd></div>{{/each}}</dl>{{/facts}}
    {{#table}}<div class="scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr>{{#columns}}<th scope="col">{{cell}}</th>{{/columns}}</tr></thead><tbody>
    {{#rows}}<tr>{{#cells}}<td{{#isNumber}} class="number"{{/isNumber}}>{{cell}}</td>{{/cells}}</tr>
    {{/rows}}</tbody></table></div>{{/table}}
    {{#folded}}<details><summary>{{name}}</summary>{{#table}}<div class="scroll" tabindex="0" role="region" aria-label="Table"><table><thead><tr>{{#columns}}<th scope="col">{{cell}}</th>{{/columns}}</tr></thead><tbody>
    {{#rows}}<tr>{{#cells}}<td{{#isNumber}} class="number"{{/isNumber}}>{{cell}}</td>{{/cells}}</tr>
    {{/rows}}</tbody></table></div>{{/table}}</details>{{/folded}}
    {{#pictures}}<div class="pictures">{{#each}}<figure>{{{svg}}}</figure>{{/each}}</div>{{/pictures}}
    {{#wide}}<div class="scroll" tabindex="0" role="region" aria-label="Picture">{{{svg}}}</div>{{/wide}}
    {{#code}}<details{{#open}} open{{/open}}><summary>{{name}}</summary><pre>{{text}}</pre></details>{{/code}}
    {{#samples}}
    <p class="quiet">{{note}}</p>
    <div class="filter" role="search">
    <label>Search <input type="search" id="words" placeholder="in prompts and answers" autocomplete="off"></label>
    {{#isChosen}}<label>Show <select id="kind"><option value="">all</option><option value="best">highest scores</option><option value="worst">lowest scores</option><option value="drawn">drawn</option></select></label>{{/isChosen}}
    <output id="shown" aria-live="polite">{{count}} prompts</output>
    </div>
    <div id="prompts">
    {{#prompts}}<article class="prompt" data-kinds="{{kinds}}"><h3>{{id}}</h3><p class="text" dir="auto">{{prompt}}</p><div class="answers">{{#answers}}<div><h4>{{address}}</h4>{{#each}}<p class="text answer" dir="auto">{{sample}}</p><p class="scores">{{scores}}</p>{{/each}}{{#more}}<p class="quiet">{{.}}</p>{{/more}}</div>{{/answers}}</div></article>
    {{/prompts}}
    </div>
    <button id="more" type="button" hidden>Show all</button>
    {{/samples}}
    {{/blocks}}
    </section>
    {{/sections}}
    </main>
    {{#scripts}}<script>{{{.}}}</script>{{/scripts}}
    </body>
    </html>

    """

  static let style = """
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

  /// Shows the prompts with all of the words that are searched for, at first so many of them. `report.html#find=soup` searches when it opens.
  static let script = """
    window.followSamples=function(){
    var words=document.getElementById('words'),kind=document.getElementById('kind'),shown=document.getElementById('shown'),more=document.getElementById('more');
    if(!words)return;
    var all=Array.prototype.slice.call(document.querySelectorAll('.prompt')),most=10;
    var texts=all.map(function(each){return each.textContent.toLowerCase()});
    function update(){
    var wanted=words.value.toLowerCase().split(/\\s+/).filter(Boolean),chosen=kind?kind.value:'',count=0;
    all.forEach(function(each,index){
    var fits=wanted.every(function(word){return texts[index].indexOf(word)>=0})&&(!chosen||each.dataset.kinds.split(' ').indexOf(chosen)>=0);
    if(fits)count+=1;each.hidden=!fits||count>most;});
    shown.textContent=count+(count===1?' prompt':' prompts');
    more.hidden=count<=most;more.textContent='Show all '+count;}
    words.addEventListener('input',update);if(kind)kind.addEventListener('change',update);
    more.addEventListener('click',function(){most=Infinity;update();});
    window.addEventListener('beforeprint',function(){most=Infinity;update();});
    var asked=/^#find=(.*)$/.exec(location.hash);
    if(asked&&!words.value){words.value=decodeURIComponent(asked[1]);words.scrollIntoView();}
    update();
    };
    window.followSamples();
    """
}
