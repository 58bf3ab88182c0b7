// Finding prompts in a page by words, and by what they were chosen as.

import Charts

enum SampleSearch {
  static func write(count: Int, isRanked: Bool, _ html: inout Markup) {
    html.element("div", [("class", "filter"), ("role", "search")]) { html in
      html.element("label") { html in
        html.text("Search ")
        html.open(
          "input",
          [
            ("type", "search"), ("id", "words"), ("placeholder", "in prompts and answers"),
            ("autocomplete", "off"),
          ])
      }
      if isRanked {
        html.element("label") { html in
          html.text("Show ")
          html.element("select", [("id", "kind")]) { html in
            for (value, words) in [
              ("", "all"), ("best", "highest scores"), ("worst", "lowest scores"), ("drawn", "drawn"),
            ] {
              html.element("option", [("value", value)], words)
            }
          }
        }
      }
      html.element(
        "output", [("id", "shown"), ("aria-live", "polite")], "\(count) \(count == 1 ? "prompt" : "prompts")")
    }
  }

  /// Below the prompts.
  static func writeMore(_ html: inout Markup) {
    html.element("button", [("id", "more"), ("type", "button"), ("hidden", "")], "Show all")
  }

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
