// What a page has around it where a server shows it: ways to other pages, and news of a run that runs.

package struct PageFrame: Sendable {
  package struct Link: Sendable {
    let words: String
    let target: String

    package init(_ words: String, _ target: String) {
      self.words = words
      self.target = target
    }
  }

  package static let home = Link("all runs", "/")

  let links: [Link]
  /// What the stages of a run printed.
  let logs: [Link]
  /// Where the news come from.
  let events: String?
  /// What the news bring anew.
  let curves: LiveCurves

  package init(
    links: [Link], logs: [Link] = [], events: String? = nil, curves: LiveCurves = LiveCurves([])
  ) {
    self.links = links
    self.logs = logs
    self.events = events
    self.curves = curves
  }

  static let style = """
    #now{white-space:pre-wrap;overflow-wrap:anywhere}
    #curves:not(:empty){margin:.8rem 0}figcaption{padding:.3rem .5rem 0;font-size:.85rem;color:var(--quiet);overflow-wrap:anywhere}
    """

  /// Shows the stages that run with their curves, and fetches the page's content anew when one has finished.
  static let script = """
    (function(){
    var now=document.getElementById('now'),curves=document.getElementById('curves'),drawn=null,finished=null,source=new EventSource(now.dataset.events);
    function renew(){
    fetch(location.href).then(function(answer){return answer.text()}).then(function(text){
    var fresh=new DOMParser().parseFromString(text,'text/html'),words=document.getElementById('words'),asked=words?words.value:'';
    document.querySelector('main').replaceWith(fresh.querySelector('main'));
    document.querySelector('h1').replaceWith(fresh.querySelector('h1'));
    words=document.getElementById('words');if(words)words.value=asked;
    if(window.followSamples)window.followSamples();});}
    source.onmessage=function(event){
    var news=JSON.parse(event.data);now.textContent=news.lines.join('\\n');
    if(drawn!==news.curves){drawn=news.curves;curves.innerHTML=drawn||'';}
    if(finished!==null&&finished!==news.finished||news.state!=='running')renew();
    finished=news.finished;
    if(news.state!=='running'){source.close();now.textContent='';curves.textContent='';}};
    })();
    """
}
