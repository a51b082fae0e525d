// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited.
var Sr=Object.defineProperty;var A=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var nt=(e,t)=>{for(var r in t)Sr(e,r,{get:t[r],enumerable:!0})};function Nt(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var T,Dr,
It,ee,ke,Ue,Lt,q=A(()=>{"use strict";T=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=Dr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},Dr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
It=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),ee=(e,t,r)=>e instanceof T?e:new T(t,`${r}: ${e}`,{cause:e});ke=(e,t)=>new T(
"stopped",e,t?{cause:t}:{}),Ue=(e,t)=>new T("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),Lt=()=>Ue("the\
 server forgot this producer")});var Be,at=A(()=>{"use strict";Be=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function it(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var z,qe,ie=A(()=>{"use st\
rict";Y();z=async e=>typeof e=="function"?U(async()=>e()):e;qe=(e,t,r)=>Object.assign(it(e,r),{offset:t})});function M(e,t){let r=()=>{let n=e?.reason;t(n instanceof T?n:ke("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var pe=A(()=>{"use strict";q()});function te(e,t,r,n,o,s){let a=[];return new Promise(d=>{let l,w=c=>{l=e.now()+c,a.push(e.timer(c,d,"pause")),o?.(l)};w(
r);let b=c=>{o?.(l,c),!(s||!/^(online|visible|resume)$/.test(c))&&(t.count=0,w(Math.max(c==="online"?e.random()*500:0,t.
held())))};a.push(M(n,()=>d()),e.watch(b))}).finally(()=>{for(let d of a)d()})}var Ae=A(()=>{"use strict";pe()});function Fe(e){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...e===!1?{attempts:0}:
e}}function re({base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],l=!1,w,b=-1/0,c={count:0,begin(){
d=[...d.slice(-11),s()],w??=s(),l=!1},progress(){w=s(),c.count=0,l=!0,d=[]},held:()=>d.length<12?0:Math.max(0,d[0]+6e4-s()),
end({up:m=0,heard:p,planned:y,hint:P,personal:h}){let E=s(),v=m>=r&&p;v&&(c.count=0,w=E);let H=E-(w??E),R;return y&&(l||
v)?R=Math.max(0,b+1e3-E):l?R=a()*e:R=a()*Math.min(y?r:t,4*e+2*H,e*2**c.count++),y&&(b=E+R),P&&(R=Math.max(R,P*(h?1:1+.3*
a()))),R=Math.max(R,c.held()),c.count>n||R+H>o?null:R}};return c}var ue=A(()=>{"use strict"});async function $t(e,t,r,n){let o=re(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
T)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let l=o.end({hint:d.retryAfter});if(l===null)throw d;await te(
e,o,l,r,void 0,d.retryAfter!==void 0)}}var jt=A(()=>{"use strict";q();Ae();ue()});var Ie,F,de,fe,ft,Mt,Kt,K=A(()=>{"use strict";Ie="application/json",F=(e=Ie)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",de=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),fe=e=>new TextEncoder().
encode(e),ft=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),Mt=e=>ft().decode(e),Kt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):fe(e)});function Gt(e,t){let r=F(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return fe(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new T("bad-record",`${typeof e} i\
s no record of ${t}`)}function Ne(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function Le(e,t){return F(t)!=="json"?Ne(e):Ne([...e.flatMap((r,n)=>[fe(n?",":"["),r]),fe("]")])}var _t,
$e=A(()=>{"use strict";q();K();_t=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function Jt({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:l,linger:w=5,batchBytes:b=1<<20,bufferBytes:c=8<<20,
claim:m,create:p,idempotent:y=!0}=d,P=y?d.inFlight??5:1,{epoch:h=0}=d;if(!l||!(h>=0&&b>0&&P>0))throw new T("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let E=re(t,r),v=new AbortController,H=0,R,S,B=[],W=[],_,
L=0,oe="",I,J,$=Promise.resolve(),se=!1,be=!1,X=-1/0,ve=[],Ce,xe=async i=>{for(;!i();)await new Promise(f=>ve.push(f))},
Z=()=>{for(let i of ve.splice(0))i()},N=()=>xe(()=>{let i=L<c||I;return i||ae(),i}),Q=async(i,f,g,O)=>{R??=await s();let k=await a(
i,R);if(await N(),I)throw I;let D={bytes:k,resolve:f,reject:g};V(D),D.ignore=M(O,G=>{let j=S?.entries.indexOf(D)??-1;S&&
j>=0?(S.entries.splice(j,1),S.size-=k.length,L-=k.length,g(G)):g(ke("the signal was aborted; the record may arrive",O?.reason))})},
V=i=>{let{bytes:f}=i,g=f?.length??0;return S&&f&&(!_t(R)||S.size+g>b)&&ae(),S??={entries:[],size:0,seq:0,bad:0},S.entries.
push(i),S.size+=g,L+=g,_??=r.timer(w,ae),S},ae=()=>{_?.(),_=void 0,S?.entries.length&&B.push(S),S=void 0,le()},tt=async(i,f)=>{
if(await $,I)throw I;R??=await s();let g=()=>{};return f!==void 0&&V({bytes:await a(f,R),resolve:g,reject:g}),new Promise(
(O,k)=>{V({resolve:O,reject:k}).close=i,ae()})},We=(i,f)=>(J??=tt(i,f),J.catch(()=>J=void 0),J),le=()=>{se&&!W.length&&(se=
!1,h+=1,H=0);let i=()=>W.some(f=>!f.seq)||B[0]?.close&&W.length;for(;!se&&B.length&&W.length<P&&!i();){let f=B.shift();f.
seq=H++,f.lost=!1,W.push(f),rt(f)}},rt=async i=>{let f=zt(i),g={body:f.length?Le(f,R):void 0,type:R,producer:y?[l,h,i.seq]:
void 0,create:p?{}:void 0,...i.close};for(i.write=g;i.write===g;){let O=Math.min(...W.map(k=>k.seq));(!e.live||i.seq===O)&&
E.begin();try{let{offset:k}=await o.write(g,v.signal);if(i.write!==g)return;E.progress(),k>oe&&(oe=k),Te(i,k);return}catch(k){
if(i.write!==g||!await Oe(i,k,O))return}}},Oe=async(i,f,g)=>{let{code:O,facts:k,message:D,retryable:G,retryAfter:j,status:Ut}=f;
if(G&&!y&&Ut===void 0)return De(i,Ue(D,f));if(G&&!(O==="bad-answer"&&++i.bad>=3)){let Re=r.now();if(i.lost=!0,Re>=X){let Bt=E.
end({hint:j});if(Bt===null)return u(Ue(D,f));X=Re+Bt}return await te(r,E,X-Re,v.signal,void 0,j!==void 0),X=Math.min(X,r.
now()),!0}return O==="producer-gap"?Ee(i,Number(k.expected??k.expected_seq),g):O==="producer-fenced"&&m?Pe(Number(k.epoch??
h)+1):Ut===404&&p&&!be?(be=!0,o.create({"content-type":R},void 0,v.signal).then(()=>!0,Re=>Oe(i,Re,g))):De(i,f)},Ee=async(i,f,g)=>{
if(f>i.seq)return Te(i,oe);if(f<g||g===i.seq)return Pe(h+1);let O=W.find(k=>k.seq<i.seq);return await xe(()=>!O||!W.includes(
O)),!0},Pe=i=>{h=i,H=0;for(let f of W)f.lost&&C(f,Lt());He(W.filter(f=>f.write)),W=[],le(),Z()},He=i=>{for(let f of i)f.
write=void 0;B.unshift(...i)},De=(i,f)=>{if(Br.test(f.code))return u(f);let g=W.filter(O=>O.seq>i.seq);W=W.filter(O=>O.seq<=
i.seq),He(g),se=!0,Te(i,f)},Te=(i,f)=>{W=W.filter(g=>g!==i),C(i,f),le(),Z()},C=(i,f)=>{i.write=void 0,L-=i.size;for(let{
resolve:g,reject:O,ignore:k}of i.entries)k?.(),typeof f=="string"?g(f):O(f)},u=i=>{I??=i,_?.(),Ce?.();let f=[...W,...B,...S?
[S]:[]];W=[],B=[],S=void 0,v.abort(i);for(let g of f)C(g,i);Z()},x={id:l,get pending(){return[...W,...B,...S?[S]:[]].flatMap(
zt).length},append(i,{signal:f}={}){return J?Promise.reject(new T("stream-closed","this producer has closed the stream")):
new Promise((g,O)=>{$=$.then(()=>Q(i,g,O,f)).catch(O)})},async write(i){if(I)throw I;x.append(i).catch(f=>I??=f),await $,
await N()},async flush(){if(await $,ae(),await xe(()=>!S&&!B.length&&!W.length),I)throw I;return oe},close:i=>We({close:!0},
i),fail:(i,f,g)=>We({close:!0,fail:{code:i,message:f}},g),async[Symbol.asyncDispose](){await x.flush().finally(()=>u(ke(
"the producer was disposed of")))}};return Ce=M(n,u),x}var Br,zt,Qt=A(()=>{"use strict";q();Ae();$e();ue();pe();Br=/^(producer-fenced|stream-closed|stream-gone)$/,
zt=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Vt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new T(ct(n)??qr[e]??(e<500?"bad-answer":"\
internal"),ct(o??s??a)??`the server answered ${e}`,{status:e,retryable:It(e),offset:ct(d),facts:t,...r})}async function Yt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of Fr)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Vt(t,s,{retryAfter:Nt(r.get("retry-after"))})}function me({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new T(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Xt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new T("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function Zt(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
T?s:Vt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new T(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var qr,ct,Fr,ye,we=A(()=>{"use strict";q();qr={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},ct=e=>typeof e=="string"?e:void 0;Fr=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];ye=(e,t="bad-answer")=>ee(e,t,
"the answer cannot be read")});function ge(e){return new URL(e,globalThis.location?.href)}function lt(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function je(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function er(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:l},w)=>{let b=new Headers(
typeof r=="function"?await r():r);lt(b,d);let{credentials:c}=e;return(e.fetch??fetch)(a,{method:s,headers:b,body:l,credentials:c,
signal:w,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,l=m=>a.abort(m),w=[e.signal,s.signal].map(
m=>M(m,l)),b=t.timer(s.limit,()=>l(new T("connect-timeout",`nothing came in ${s.limit} ms`))),c=()=>{b();for(let m of w)
m();a.abort()};try{let m=await new Promise((p,y)=>{M(d,y),n(s,d).then(p,y)});return m.ok&&b(),{response:m,signal:d,abort:l,
release:c}}catch(m){let p=pt(d,m);throw c(),p}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var pt,ne=A(()=>{"use strict";q();pe();pt=(e,t)=>ee(e.reason??t,"networ\
k","no answer")});function ut(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function mt(e,t){let r=e.get("stream-next-offset")??t,n=ut(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function tr(e,t,r){if(t.status===204)return mt(t.headers,r);throw me(t,e)}var Me=A(()=>{
"use strict";we()});function rr(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:ut(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function nr(e,t,r){
let n=async(o,s,a,d)=>{let l=Fe(e.options.retry).connect+(d?Ir:0),{response:w,release:b}=await je(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:l});if(b(),w.status!==204&&!w.headers.has("stream-next-offset"))throw me(w,"what a stream's server\
 says");return w};return{async write({body:o,type:s,producer:a,close:d,fail:l,create:w},b){let[c,m,p]=a??[],y={...w,"str\
eam-create":w&&!0,"content-type":o||w?s:void 0,"producer-id":c,"producer-epoch":m,"producer-seq":p,"stream-closed":d||void 0,
"stream-failure":l?.code,"stream-failure-message":l?.message?encodeURIComponent(l.message):void 0};return{offset:(await n(
"POST",b,y,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>rr((await n("PUT",a,o,s)).headers),async head(o){
try{return rr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>Ke(new URL(o,t()),e,r)}}var Ir,or=A(()=>{"use strict";yt();we();ne();ue();Me();Ir=6e4});var sr={};nt(sr,{httpWrites:()=>nr,writerOf:()=>Nr});function Nr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(m,p)=>$t(
r,o,m??s,p),l=async()=>e.type??(await c.head())?.type??Ie,w=async(m,p)=>{if(!e.codec)return Gt(m,p);let{encode:y}=await d(
void 0,()=>z(e.codec)),{framed:P}=await d(void 0,()=>U(n.frames));try{return P(y(m),p)}catch(h){throw ee(h,"bad-record",
`it is no record of ${p}`)}},b=(m=!1)=>a??=c.producer({id:Be(),linger:0,create:m}),c={append:(m,p={})=>b(p.create).append(
m,p),producer:m=>Jt(e,t,l,w,m),async create({type:m=e.type??Ie,ttl:p,expiresAt:y,retention:P,slow:h,closed:E,records:v=[],
signal:H}={}){let R={"content-type":m,"stream-ttl":p,"stream-expires-at":y instanceof Date?y.toISOString():y,"stream-ret\
ention":P,"stream-slow":h,"stream-closed":E||void 0},S=await Promise.all(v.map(W=>w(W,m))),B=await d(H,()=>t.create(R,S.
length?Le(S,m):void 0,H));return e.type=m,e.created=r.now(),{...B,type:B.type||m}},async head({signal:m}={}){let p=await d(
m,()=>t.head(m));return e.type=p?.type||e.type,p},close:m=>b().close(m),fail:(m,p,y)=>b().fail(m,p,y),async fork(m,p,{signal:y}={}){
let P=t.sibling(m),h=await P.writes(),E=new URL(t.sibling("").url).pathname;return await d(y,()=>h.create({"stream-forke\
d-from":E,"stream-fork-offset":p},void 0,y)),e.another(P)},async delete({signal:m}={}){await d(m,async p=>{try{await t.delete(
m)}catch(y){if(!p||y.code!=="stream-not-found")throw y}})}};return c}var ar=A(()=>{"use strict";at();ie();q();jt();Qt();
$e();Y();K();or()});function _e(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Lr)){if(a==='"'&&(n=!n),n)continue;let l=a==="["||a==="{";l?o+=1:(a==="]"||a==="}")&&(o-=1),l&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Lr,
wt=A(()=>{"use strict";Lr=/\\.|["[\]{},]/gs});function gt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function Ge(){let e=ft(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,gt(r),s}}var ht=A(()=>{"use strict";K()});function ze(e="",t){let r=Ge(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),l=d<0?a:a.slice(0,d),w=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),b=n??{event:"",data:null,id:e};if(l==="\
data")b.data=b.data===null?w:`${b.data}
${w}`;else if(l==="event")b.event=w;else if(l==="id"&&!w.includes("\0"))e=w;else if(!t?.(l,w,b))continue;n=b,gt(n.data??
"")}return s}}var bt=A(()=>{"use strict";ht()});async function Je(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await U(t.frames);return n=>r(
n,e)}function Qe(e,t,r){if(!e.length)return[];try{return t(e).map(n=>it(n,r))}catch(n){throw ye(n,"truncated")}}var vt=A(
()=>{"use strict";ie();Y();we()});function he(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Ve=A(()=>{"use strict"});function Ye({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let l=e.body?.getReader(),w=Number(e.headers.get("str\
eam-heartbeat"))*1e3,b=s||2.5*w||d,c=1/0,m=!0,p=()=>o.now()-c,y=()=>r(new T("silent",`nothing came in ${p()} ms`,{facts:{
first:m}})),P=o.watch(h=>{h==="freeze"?r(new T("network","page freeze")):h!=="hidden"&&h!=="offline"&&p()>b*1.2/2.5&&y()});
return t.addEventListener("abort",()=>{l?.cancel().catch(()=>{})}),{async read(){let h=m&&a||b;c=o.now();let E=o.timer(h,
()=>{p()<h+1e3?y():E=o.timer(3e3,y)});try{let v=await l?.read();return m=!1,t.throwIfAborted(),v?.value}catch(v){throw pt(
t,v)}finally{c=1/0,E()}},release(){P(),n()}}}var xt=A(()=>{"use strict";q();ne()});function Mr(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return lt(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Ot(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),je(e,{url:Mr(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*Kr(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:l,accept:w}=r,b=await Ot(e,t,n,l,w),{response:c}=b,{headers:m}=c,p=Ye(b,o,s.silence,a);
try{if(c.status===204||!m.get("content-type")?.startsWith(w))return yield(await U(d.rest)).inPlaceOf(w,c,n.from);yield{kind:"\
open"};let y=await r.parser(c,n),P=r.tailless;for(;;){let h=p.read();P&&await _r(h,o)&&(P=!1,yield{kind:"quiet"});let E=await h;
if(!E)break;let v=[];try{y(E,v)}catch(H){throw(await U(d.rest)).unreadable(H)}v.length||(yield{kind:"beat"}),yield*v}throw new T(
"truncated","the answer was cut")}finally{p.release()}}function Xe(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function Ze(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var ce,_r,Se=A(()=>{"use strict";xt();q();Y();ne();ce=
e=>(t,r)=>({name:e.name,open:n=>Kr(t,r,e,n)});_r=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.
then(o,o)})});async function*zr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Gr,ir,dr=A(()=>{"use strict";ie();wt();K();bt();vt();
Ve();Se();Gr=ce({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=ze(),s=e.get("stream-sse-data-encoding")==="base64",a=await z(n),d=s?await Je(r??"",t):void 0,l=[],
w=c=>d?Qe(de(c),d,a):(r?F(r)==="json":c.startsWith("["))?_e(c):c?[{raw:c}]:[],b=(c,m)=>{let{streamNextOffset:p,streamClosed:y,
streamFailure:P,streamError:h,streamDetached:E,streamGap:v}=c,H=c.upToDate===!0&&!y,R=(S,B)=>{B&&m.push(he(S,B,p))};R("s\
tream-gap",v),l.length?m.push({kind:"records",records:l,offset:p,upToDate:H}):v||R(H?"up-to-date":"beat",{}),l=[],P?R("s\
tream-failed",P):y?R("stream-closed",{}):h?R("stream-error",h):R("stream-detached",E)};return(c,m)=>{for(let{event:p,data:y}of o(
c))y!==null&&(p==="data"?l.push(...w(y)):p==="control"&&b(JSON.parse(y),m))}}});ir=(...e)=>{let{name:t,open:r}=Gr(...e);
return{name:t,open:n=>zr(r(n))}}});function Et(e=Jr){let t=ze();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&Ze(n,a):o.startsWith("stream-")?
n.push(he(o,JSON.parse(s),a)):Xe(n,e(s,a))}}var Jr,fr,Pt=A(()=>{"use strict";Y();K();bt();Ve();Se();Jr=(e,t)=>({raw:e,offset:t});
fr=ce({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return Et(o||F(t)!=="json"?await(await U(r.rest)).quoted(o,n):void 0)}})});function Yr(e,t){let r=Qr.exec(e);return r&&Object.keys(t).every(n=>Vr.test(n))?e.trimEnd().slice(r[0].length,-1):JSON.stringify(
t.data)}async function cr({type:e,codec:t}){let r=await z(t),n=F(e)==="json";return(o,s=JSON.parse(o))=>{let{offset:a,data:d,
base64:l,at:w,by:b}=s,c=w===void 0?{offset:a}:{offset:a,known:{at:w,by:b}};return l!==void 0?Object.assign(qe(de(l),a,r),
c):n?{raw:Yr(o,s),value:d,...c}:{raw:String(d),...c}}}async function Zr(e){let t=await cr(e);return r=>t(r)}var Qr,Vr,Xr,
lr,pr,ur=A(()=>{"use strict";ie();ht();K();Ve();Se();Pt();Qr=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,
Vr=/^(offset|at|by|data)$/;Xr=e=>ce({name:"ndjson",accept:"application/x-ndjson",query:e,async parser(t,r){let n=await cr(
r),o=Ge();return(s,a)=>{for(let d of o(s)){if(!d.trim())continue;let l=JSON.parse(d),{offset:w,control:b}=l;b==="up-to-d\
ate"?Ze(a,w):b?a.push(he(`stream-${b}`,l,w)):Xe(a,n(d,l))}}}}),lr=ce({name:"sse",accept:"text/event-stream",query:{envelope:1},
tailless:!0,parser:async(e,t)=>Et(await Zr(t))});pr=(e,t)=>({name:"ndjson",open:r=>Xr(r.envelope?{envelope:1}:{})(e,t).open(
r)})});async function tn(e,{environment:t,retry:r}){let n=Ye(e,t,r.silence),{headers:o,type:s}=e.response,a=[];try{for(let l=await n.
read();l;l=await n.read())a.push(l);let d=Ne(a);if(s!=="cors"&&!o.has("content-encoding")&&d.length<Number(o.get("conten\
t-length")))throw new T("truncated","the answer was cut");return d}finally{n.release()}}async function rn(e,t,r){let n=F(
t);if(n==="bytes")return Qe(e,await Je(t,r),await z(r.codec));let o=Mt(e);if(n==="text")return o?[{raw:o}]:[];try{return _e(
o)}catch(s){throw ye(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*nn(e,t,r){let{live:n,missing:o}=r,{from:s,
last:a}=r,d,l=s==="now";for(;;){let w=n&&(l||o==="wait"),b={...r,from:s,last:a,...w?{}:{slow:void 0,missing:void 0}},c=await Ot(
e,t,b,{live:w?"long-poll":void 0,cursor:d},void 0,w?en:0),{response:m}=c,{headers:p,status:y}=m,P=p.get("stream-next-off\
set");if(P===null)throw c.release(),me(m,"a page of a stream");let h=await tn(c,r),E=p.get("content-type")??r.type??"",v=y===
204?[]:await rn(h,E,r),H=p.get("stream-up-to-date")==="true"||y===204,R=H&&p.get("stream-closed")==="true",S=H&&!R;if(yield{
kind:"open",type:E},v.length?yield{kind:"records",records:v,offset:P,upToDate:S}:yield S?{kind:"up-to-date",offset:P}:{kind:"\
beat"},R&&(yield mt(p,P)),l&&(!v.length||P===s))break;l=H,s=P,a=void 0,d=p.get("stream-cursor")??void 0}yield{kind:"stre\
am-detached"}}var en,mr,yr=A(()=>{"use strict";xt();ie();q();$e();wt();K();we();vt();Me();Se();en=6e4;mr=(e,t)=>({name:"\
long-poll",open:r=>nn(e,t,r)})});async function wr(e,t){let r=await z(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?de(s.base64):e?de(s):s};return(o,s)=>qe(
n(o),s,r)}var gr=A(()=>{"use strict";ie();K()});var Tt,Rt,et,kt=A(()=>{"use strict";ne();Tt=new Map,Rt=e=>`headwater:transport:${ge(e.url).origin}`,et=e=>{let t=Rt(e);try{
return Tt.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function hr(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,l=0,w=0,b=()=>a+1>=n.length,c=(y,P)=>{a=y,d=P,l=w=0},m=()=>{
let y=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===y[0]?!1:(n=e.transports(y,void 0,r),c(0,d),!0)},p=s?et(
e):0;return p>o&&c(n.length-1,p),{current(y){return d&&y>=d&&c(0,0),[n[a],!b()]},settle:()=>c(a,d),async after({code:y,facts:P},h){
let E=y==="bad-answer";return l=E?l+1:0,w=y==="truncated"?w+1:0,E&&P.protocol&&s&&m()?!0:b()?l<3:(((y==="silent"?P.first:
y==="connect-timeout"&&t.length===1&&await fn(e))||l>=3||w>=sn)&&(c(n.length-1,h+on),s&&dn(Rt(e),d)),!0)}}}function dn(e,t){
Tt.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var on,sn,an,fn,br=A(()=>{"use strict";ne();kt();on=30*6e4,sn=
3,an=1e3;fn=async({requester:e,url:t})=>e?.send({url:ge(t).href,method:"HEAD",limit:an}).then(({release:r})=>(r(),!0),()=>!1)});var vr={};nt(vr,{badRecord:()=>Xt,choiceOf:()=>hr,inPlaceOf:()=>tr,problemOf:()=>Yt,quoted:()=>wr,told:()=>Zt,transportOf:()=>ln,
unreadable:()=>ye});function ln(e){let t=cn[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new T("unsupported",`the transport ${e} is not in the core; ${r}`)}var cn,
xr=A(()=>{"use strict";q();dr();ur();yr();we();Me();gr();br();cn={sse:lr,ndjson:pr,"long-poll":mr,"live-sse":ir}});var Or={};nt(Or,{framed:()=>un,isDelimited:()=>St,isMsgpack:()=>At,split:()=>pn});function pn(e,t){if(!At(t)&&!St(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=At(t)?[n,wn(e,n)]:mn(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function un(e,t){if(!St(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function mn(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function wn(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=yn[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var At,St,yn,Er=A(()=>{"use strict";At=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),St=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);yn=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});var Ct,U,Pr,Y=A(()=>{"use strict";q();Ct={writing:()=>Promise.resolve().then(()=>(ar(),sr)),rest:()=>Promise.resolve().then(()=>(xr(),vr)),
frames:()=>Promise.resolve().then(()=>(Er(),Or))},U=async(e,t)=>{try{return await e()}catch(r){throw new T("network",`im\
port(): ${r}`,{cause:r,retryAfter:t})}},Pr=({rest:e})=>async t=>{let{problemOf:r}=await U(e,1e3*Number(t.headers.get("re\
try-after"))||0);return r(t)}});function Ke(e,t,r){let n=()=>ge(e).href,o=s=>({name:s,async*open(a){yield*(await U(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d,l){let w=[F(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(c=>c==="auto"?
w:c).map(c=>typeof c=="function"?c(t,n()):c!=="sse"?o(c):d?l?o(c):fr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await U(
r.writing)).httpWrites(t,n,r)}}var yt=A(()=>{"use strict";Y();K();ne();Pt()});var ot=globalThis;function Cr(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Ft=()=>ot.document?.visibilityState==="hidden",Wr=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Hr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Ft()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Wr.forEach(o=>ot[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var st={now:()=>Date.now(),timer:Cr,random:()=>Math.random(),online:()=>ot.
navigator?.onLine!==!1,hidden:Ft,watch:Hr};q();yt();Y();Ae();at();function Tr(e,t={}){let{id:r=Be()}=t,n,o=0,s=e({...t,id:r});s.then(l=>n=l,()=>{});let a=(l,w=0)=>(...b)=>(o+=w,s.then(
c=>c[l](...b))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async l=>{
await d.fail("aborted",l&&String(l))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}q();Y();Ae();K();ue();pe();kt();var Wt=e=>!/^(start|now|-1)$/.test(e);function Rr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:l,transport:w=e.transport}=t,b=[].concat(w),c=re(n,o),m={},p=t.from??"start",y,P,h=new AbortController,
E,v,H,R,S=l,B=!1,W=!1,_=[],L=0,oe,I,J,$,se=Promise.resolve(),be=()=>new Promise(u=>H=u);async function*X(u,x){try{for(;;){
let i=se.then(()=>Ce(u));se=i.catch(()=>{});let f=await i;if(!f)return;for(let g of x(f))yield g}}finally{await V()}}let ve=u=>{
let x=C[Symbol.asyncIterator]();return new ReadableStream({async pull(i){let f=await x.next();f.done?i.close():i.enqueue(
u(f.value))},cancel:()=>V()},{highWaterMark:0})},Ce=async u=>{$!==void 0&&v?.kind!=="stopped"&&(C.offset=$,$=void 0,await l?.
save(C.offset));let x=!1,i;if(!_[L]){let g=await xe();if(!g)return;oe=C.offset,{records:_,offset:I,upToDate:x,gap:i}=g,L=
0,J=F(e.type)}let f=[];for(let g=_[L];g&&f.length<u;g=_[L]){let{raw:O,offset:k=_[L+1]?oe:I}=g;try{let D=e.decode(O,typeof O==
"string"?J:"bytes",g);f.push({data:D instanceof Promise?await D:D,offset:k,raw:O,...g.known}),$=k,L+=1}catch(D){if(f.length){
x=!1;break}L+=1;let G=await U(e.parts.rest).then(({badRecord:j})=>j(D,O,k),j=>j);throw await V("error",G),G}}return $??=
p,{records:f,offset:$,upToDate:x,gap:i}},xe=async()=>{let u=v?void 0:(await(E??=ae()).next()).value;if(!u&&v?.error)throw v.
error;return u},Z=(u,x)=>{for(let i of m[u]??[])i(x)},N=u=>{u!==C.state&&Z("state",C.state=u)},Q=(u,x,i,f)=>{v||(v={kind:u,
offset:x,...i&&{code:i.code,error:i},...f},C.lastError=i??C.lastError,C.transport=null,N("ended"),H(v))},V=async(u="stop\
ped",x)=>{if(v)return;Q(u,C.offset,x),h.abort();let i=E;E=void 0,await i?.return()};async function*ae(){let u=[e.signal,
t.signal].map(x=>M(x,C.close));try{let x=await S?.load();for(S=void 0,x&&(p=C.offset=x);!v;)yield*tt()}finally{for(let x of u)
x()}}async function*tt(){let u=p,x,i=!1,f={};h=new AbortController,W=!1,R&&(yield R),R=void 0;try{N("connecting");for await(let O of await We()){
O.kind==="open"?x=o.now():O.kind!=="quiet"&&(i=!0);let D=(O.kind==="stream-error"||O.kind==="stream-failed")&&(await U(e.
parts.rest)).told(O);if(O.kind==="stream-error")throw D;if(O.kind==="stream-detached"){let j=Number(O.retry_after)*1e3;f=
{hint:j,personal:!0,planned:!j};break}let G=v?void 0:He(O);if(D&&Q("failed",p,D,D.facts),G&&(yield G),B&&Q("up-to-date",
p),v)break}}catch(O){if(!(O instanceof T))throw O;v||(f=await De(O,x,u))}finally{h.abort(),C.transport=null}let g=o.now();
v||await Te(W?c.held():c.end({up:g-(x??g),heard:i,...f}))}let We=async()=>{let u=o.now();y??=r.transports(b,e.type,s,t.envelope),
!P&&y[1]&&et(r)>u&&await le();let[x,i]=P?.current(u)??y;return C.transport=x.name,x.open({...e,...t,live:s,from:p,last:Wt(
p)?void 0:t.last,first:i?3e3:void 0,signal:h.signal,sent:c.begin})},le=async()=>P??=(await U(e.parts.rest)).choiceOf(r,b,
s,y,o.now()),rt=async(u,x,i)=>{let{code:f}=u;return f!=="network"&&(f!=="truncated"||!i&&x<1e3)?le().then(g=>g.after(u,o.
now()),()=>!0):(P?.settle(),!0)},Oe=()=>{N("live"),B=!s},Ee=(u,x=!1)=>({records:u,offset:p,upToDate:x}),Pe=u=>(Z("gap",u),
{...Ee([]),gap:u}),He=u=>{let{kind:x,type:i,offset:f}=u,g=Wt(p);e.type||=i;let O=D=>!g||(D.offset??f)>p,k=u.kind==="reco\
rds"?u.records.filter(O):[];switch(f&&f!==p&&!(g&&f<p)&&(p=f,(g||x!=="up-to-date")&&c.progress()),u.kind){case"open":case"\
stream-created":return N("catching-up");case"stream-waiting":return N("absent");case"records":return u.upToDate&&Oe(),k.
length?Ee(k,u.upToDate):void 0;case"up-to-date":return Oe(),Ee([],!0);case"stream-gap":return Pe({from:u.from,to:u.to,reason:u.
reason});case"stream-signal":case"stream-presence":return Z("notice",{name:x.slice(7),data:u.data});case"stream-closed":
return Q("closed",p);default:C.state==="catching-up"&&g&&N("live")}},De=async(u,x,i)=>{let f=o.now(),{code:g,retryAfter:O}=u,
k=g==="stream-not-found";if(C.lastError=u,g==="stopped")Q("stopped",C.offset);else if(g==="offset-gone"&&a!=="throw"){let D=p;
p=a==="now"?a:String(u.facts.earliest??"start"),R=Pe({from:D,to:p,reason:"gone"})}else{if(g==="stream-awaited")return{planned:!0};
if(k&&d==="wait")N("absent");else{if(k&&f-e.created<1e4)return{hint:O};if(u.retryable&&await rt(u,f-(x??f),p!==i))Z("err\
or",u);else{let D=x!==void 0||Wt(p);Q((k||g==="stream-gone")&&D?"deleted":"error",C.offset,u)}}}return{hint:O}},Te=async u=>{
if(u===null){let f=C.lastError??new T("truncated","the answer was cut");Q("error",C.offset,f);return}let x=!o.online(),i=u;
o.hidden()&&c.count&&(i=Math.max(i,o.random()*n.cap)),x&&(i=Math.max(i,n.cap)),C.state!=="absent"&&i&&N(x?"offline":"wai\
ting"),h=new AbortController,await te(o,c,i,h.signal,(f,g)=>{C.retryAt=f,g==="offline"&&N(g)}),C.retryAt=null},C={state:"\
idle",offset:p,transport:null,get attempt(){return c.count},retryAt:null,lastError:null,end:be(),on(u,x){let i=m[u]??=new Set;
return i.add(x),()=>i.delete(x)},[Symbol.asyncIterator]:()=>X(1,({records:u})=>u),batches:()=>X(1/0,u=>[u]),readable:()=>ve(
({data:u})=>u),bytes:()=>ve(({raw:u})=>typeof u=="string"?fe(J==="json"?`${u}
`:u):u),skip(){v?.code==="bad-record"&&(v=void 0,C.end=be(),N("idle"))},reconnect(){c.count=0,W=!0,h.abort(new T("networ\
k","reconnect()"))},close:()=>{V()},[Symbol.asyncDispose]:()=>V()};return C}K();ne();ue();function Ht(e){if(e instanceof Promise)return e.then(Ht);if(e.issues)throw e;return e.value}pe();var Dt=()=>{throw new T("unsupported","needs headwater/connection")};function kr(e,t,r=-1/0){let{environment:n=st,decode:o,
schema:s,transport:a="auto",signal:d,parts:l=Ct}=t,w=Fe(t.retry),b,c={...t,door:e,retry:w,environment:n,transport:a,parts:l,
created:r,another:h=>kr(h,t,n.now()),decode:(h,E,v)=>{let H=o?o(h):"value"in v?v.value:Kt(h,E);return s?Ht(s["~standard"].
validate(H)):H}},m=async()=>{let h=re(w,n);for(;;){h.begin();try{return(await U(l.writing)).writerOf(c,await e.writes())}catch(E){
if(d?.aborted)throw ee(d.reason,"stopped","the signal was aborted");let v=h.end({});if(v===null)throw E;await te(n,h,v,d)}}},
p=()=>b??=m().catch(h=>(b=void 0,Promise.reject(h))),y=(h,E)=>(...v)=>new Promise((H,R)=>{let S=M(v[E]?.signal,R),B=W=>W[h](
...v);p().finally(S).then(B).then(H,R)}),P={get url(){return e.url},get type(){return c.type},[Symbol.asyncIterator]:()=>P.
read()[Symbol.asyncIterator](),read:(h={})=>Rr(c,h),async all(h){let E=[];for await(let{data:v}of P.read({...h,live:!1}))
E.push(v);return E},append:y("append",1),producer:h=>Tr(E=>p().then(v=>v.producer(E)),h),create:y("create",0),head:y("he\
ad",0),close:y("close"),fail:y("fail"),fork:y("fork",2),delete:y("delete",0),...e.live??{signal:Dt,signals:Dt,presence:Dt},
sink:()=>c};return P}function Ar(e,t={}){let{environment:r=st,parts:n=Ct}=t;return kr(Ke(e,{...er(t,r),problem:Pr(n)},n),
t)}export{Ar as stream};
