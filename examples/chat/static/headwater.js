// The client for TypeScript in one file. Made by `node scripts/bundles.ts` in clients/typescript; not to be edited.
var kr=Object.defineProperty;var A=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var nt=(e,t)=>{for(var r in t)kr(e,r,{get:t[r],enumerable:!0})};function Ft(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var T,Wr,
qt,ee,ke,Ue,It,q=A(()=>{"use strict";T=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=Wr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},Wr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
qt=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),ee=(e,t,r)=>e instanceof T?e:new T(t,`${r}: ${e}`,{cause:e});ke=(e,t)=>new T(
"stopped",e,t?{cause:t}:{}),Ue=(e,t)=>new T("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),It=()=>Ue("the\
 server forgot this producer")});var Be,at=A(()=>{"use strict";Be=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function it(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var z,qe,ie=A(()=>{"use st\
rict";Y();z=async e=>typeof e=="function"?U(async()=>e()):e;qe=(e,t,r)=>Object.assign(it(e,r),{offset:t})});function M(e,t){let r=()=>{let n=e?.reason;t(n instanceof T?n:ke("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var le=A(()=>{"use strict";q()});function te(e,t,r,n,o,s){let a=[];return new Promise(d=>{let c,w=p=>{c=e.now()+p,a.push(e.timer(p,d,"pause")),o?.(c)};w(
r);let h=p=>{o?.(c,p),!(s||!/^(online|visible|resume)$/.test(p))&&(t.count=0,w(Math.max(p==="online"?e.random()*500:0,t.
held())))};a.push(M(n,()=>d()),e.watch(h))}).finally(()=>{for(let d of a)d()})}var Ae=A(()=>{"use strict";le()});function Fe(e){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...e===!1?{attempts:0}:
e}}function re({base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],c=!1,w,h=-1/0,p={count:0,begin(){
d=[...d.slice(-11),s()],w??=s(),c=!1},progress(){w=s(),p.count=0,c=!0,d=[]},held:()=>d.length<12?0:Math.max(0,d[0]+6e4-s()),
end({up:m=0,heard:l,planned:y,hint:P,personal:b}){let E=s(),v=m>=r&&l;v&&(p.count=0,w=E);let H=E-(w??E),R;return y&&(c||
v)?R=Math.max(0,h+1e3-E):c?R=a()*e:R=a()*Math.min(y?r:t,4*e+2*H,e*2**p.count++),y&&(h=E+R),P&&(R=Math.max(R,P*(b?1:1+.3*
a()))),R=Math.max(R,p.held()),p.count>n||R+H>o?null:R}};return p}var pe=A(()=>{"use strict"});async function Lt(e,t,r,n){let o=re(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
T)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let c=o.end({hint:d.retryAfter});if(c===null)throw d;await te(
e,o,c,r,void 0,d.retryAfter!==void 0)}}var Nt=A(()=>{"use strict";q();Ae();pe()});var Ie,F,de,fe,ft,$t,jt,K=A(()=>{"use strict";Ie="application/json",F=(e=Ie)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",de=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),fe=e=>new TextEncoder().
encode(e),ft=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),$t=e=>ft().decode(e),jt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):fe(e)});function Kt(e,t){let r=F(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return fe(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new T("bad-record",`${typeof e} i\
s no record of ${t}`)}function Le(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function Ne(e,t){return F(t)!=="json"?Le(e):Le([...e.flatMap((r,n)=>[fe(n?",":"["),r]),fe("]")])}var Mt,
$e=A(()=>{"use strict";q();K();Mt=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function _t({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:c,linger:w=5,batchBytes:h=1<<20,bufferBytes:p=8<<20,
claim:m,create:l,idempotent:y=!0}=d,P=y?d.inFlight??5:1,{epoch:b=0}=d;if(!c||!(b>=0&&h>0&&P>0))throw new T("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let E=re(t,r),v=new AbortController,H=0,R,S,B=[],W=[],G,
N=0,oe="",I,J,$=Promise.resolve(),se=!1,be=!1,X=-1/0,ve=[],Ce,xe=async i=>{for(;!i();)await new Promise(f=>ve.push(f))},
Z=()=>{for(let i of ve.splice(0))i()},L=()=>xe(()=>{let i=N<p||I;return i||ae(),i}),Q=async(i,f,g,O)=>{R??=await s();let k=await a(
i,R);if(await L(),I)throw I;let D={bytes:k,resolve:f,reject:g};V(D),D.ignore=M(O,_=>{let j=S?.entries.indexOf(D)??-1;S&&
j>=0?(S.entries.splice(j,1),S.size-=k.length,N-=k.length,g(_)):g(ke("the signal was aborted; the record may arrive",O?.reason))})},
V=i=>{let{bytes:f}=i,g=f?.length??0;return S&&f&&(!Mt(R)||S.size+g>h)&&ae(),S??={entries:[],size:0,seq:0,bad:0},S.entries.
push(i),S.size+=g,N+=g,G??=r.timer(w,ae),S},ae=()=>{G?.(),G=void 0,S?.entries.length&&B.push(S),S=void 0,ce()},tt=async(i,f)=>{
if(await $,I)throw I;R??=await s();let g=()=>{};return f!==void 0&&V({bytes:await a(f,R),resolve:g,reject:g}),new Promise(
(O,k)=>{V({resolve:O,reject:k}).close=i,ae()})},We=(i,f)=>(J??=tt(i,f),J.catch(()=>J=void 0),J),ce=()=>{se&&!W.length&&(se=
!1,b+=1,H=0);let i=()=>W.some(f=>!f.seq)||B[0]?.close&&W.length;for(;!se&&B.length&&W.length<P&&!i();){let f=B.shift();f.
seq=H++,f.lost=!1,W.push(f),rt(f)}},rt=async i=>{let f=Gt(i),g={body:f.length?Ne(f,R):void 0,type:R,producer:y?[c,b,i.seq]:
void 0,create:l?{}:void 0,...i.close};for(i.write=g;i.write===g;){let O=Math.min(...W.map(k=>k.seq));(!e.live||i.seq===O)&&
E.begin();try{let{offset:k}=await o.write(g,v.signal);if(i.write!==g)return;E.progress(),k>oe&&(oe=k),Te(i,k);return}catch(k){
if(i.write!==g||!await Oe(i,k,O))return}}},Oe=async(i,f,g)=>{let{code:O,facts:k,message:D,retryable:_,retryAfter:j,status:Ht}=f;
if(_&&!y&&Ht===void 0)return De(i,Ue(D,f));if(_&&!(O==="bad-answer"&&++i.bad>=3)){let Re=r.now();if(i.lost=!0,Re>=X){let Dt=E.
end({hint:j});if(Dt===null)return u(Ue(D,f));X=Re+Dt}return await te(r,E,X-Re,v.signal,void 0,j!==void 0),X=Math.min(X,r.
now()),!0}return O==="producer-gap"?Ee(i,Number(k.expected??k.expected_seq),g):O==="producer-fenced"&&m?Pe(Number(k.epoch??
b)+1):Ht===404&&l&&!be?(be=!0,o.create({"content-type":R},void 0,v.signal).then(()=>!0,Re=>Oe(i,Re,g))):De(i,f)},Ee=async(i,f,g)=>{
if(f>i.seq)return Te(i,oe);if(f<g||g===i.seq)return Pe(b+1);let O=W.find(k=>k.seq<i.seq);return await xe(()=>!O||!W.includes(
O)),!0},Pe=i=>{b=i,H=0;for(let f of W)f.lost&&C(f,It());He(W.filter(f=>f.write)),W=[],ce(),Z()},He=i=>{for(let f of i)f.
write=void 0;B.unshift(...i)},De=(i,f)=>{if(Dr.test(f.code))return u(f);let g=W.filter(O=>O.seq>i.seq);W=W.filter(O=>O.seq<=
i.seq),He(g),se=!0,Te(i,f)},Te=(i,f)=>{W=W.filter(g=>g!==i),C(i,f),ce(),Z()},C=(i,f)=>{i.write=void 0,N-=i.size;for(let{
resolve:g,reject:O,ignore:k}of i.entries)k?.(),typeof f=="string"?g(f):O(f)},u=i=>{I??=i,G?.(),Ce?.();let f=[...W,...B,...S?
[S]:[]];W=[],B=[],S=void 0,v.abort(i);for(let g of f)C(g,i);Z()},x={id:c,get pending(){return[...W,...B,...S?[S]:[]].flatMap(
Gt).length},append(i,{signal:f}={}){return J?Promise.reject(new T("stream-closed","this producer has closed the stream")):
new Promise((g,O)=>{$=$.then(()=>Q(i,g,O,f)).catch(O)})},async write(i){if(I)throw I;x.append(i).catch(f=>I??=f),await $,
await L()},async flush(){if(await $,ae(),await xe(()=>!S&&!B.length&&!W.length),I)throw I;return oe},close:i=>We({close:!0},
i),fail:(i,f,g)=>We({close:!0,fail:{code:i,message:f}},g),async[Symbol.asyncDispose](){await x.flush().finally(()=>u(ke(
"the producer was disposed of")))}};return Ce=M(n,u),x}var Dr,Gt,zt=A(()=>{"use strict";q();Ae();$e();pe();le();Dr=/^(producer-fenced|stream-closed|stream-gone)$/,
Gt=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Jt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new T(ct(n)??Ur[e]??(e<500?"bad-answer":"\
internal"),ct(o??s??a)??`the server answered ${e}`,{status:e,retryable:qt(e),offset:ct(d),facts:t,...r})}async function Qt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of Br)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Jt(t,s,{retryAfter:Ft(r.get("retry-after"))})}function ue({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new T(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Vt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new T("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function Yt(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
T?s:Jt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new T(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Ur,ct,Br,me,ye=A(()=>{"use strict";q();Ur={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},ct=e=>typeof e=="string"?e:void 0;Br=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];me=(e,t="bad-answer")=>ee(e,t,
"the answer cannot be read")});function we(e){return new URL(e,globalThis.location?.href)}function lt(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function je(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function Xt(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:c},w)=>{let h=new Headers(
typeof r=="function"?await r():r);lt(h,d);let{credentials:p}=e;return(e.fetch??fetch)(a,{method:s,headers:h,body:c,credentials:p,
signal:w,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,c=m=>a.abort(m),w=[e.signal,s.signal].map(
m=>M(m,c)),h=t.timer(s.limit,()=>c(new T("connect-timeout",`nothing came in ${s.limit} ms`))),p=()=>{h();for(let m of w)
m();a.abort()};try{let m=await new Promise((l,y)=>{M(d,y),n(s,d).then(l,y)});return m.ok&&h(),{response:m,signal:d,abort:c,
release:p}}catch(m){let l=pt(d,m);throw p(),l}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var pt,ne=A(()=>{"use strict";q();le();pt=(e,t)=>ee(e.reason??t,"networ\
k","no answer")});function ut(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function mt(e,t){let r=e.get("stream-next-offset")??t,n=ut(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function Zt(e,t,r){if(t.status===204)return mt(t.headers,r);throw ue(t,e)}var Me=A(()=>{
"use strict";ye()});function er(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:ut(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function tr(e,t,r){
let n=async(o,s,a,d)=>{let c=Fe(e.options.retry).connect+(d?qr:0),{response:w,release:h}=await je(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:c});if(h(),w.status!==204&&!w.headers.has("stream-next-offset"))throw ue(w,"what a stream's server\
 says");return w};return{async write({body:o,type:s,producer:a,close:d,fail:c,create:w},h){let[p,m,l]=a??[],y={...w,"str\
eam-create":w&&!0,"content-type":o||w?s:void 0,"producer-id":p,"producer-epoch":m,"producer-seq":l,"stream-closed":d||void 0,
"stream-failure":c?.code,"stream-failure-message":c?.message?encodeURIComponent(c.message):void 0};return{offset:(await n(
"POST",h,y,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>er((await n("PUT",a,o,s)).headers),async head(o){
try{return er((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>Ke(new URL(o,t()),e,r)}}var qr,rr=A(()=>{"use strict";yt();ye();ne();pe();Me();qr=6e4});var nr={};nt(nr,{httpWrites:()=>tr,writerOf:()=>Fr});function Fr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(m,l)=>Lt(
r,o,m??s,l),c=async()=>e.type??(await p.head())?.type??Ie,w=async(m,l)=>{if(!e.codec)return Kt(m,l);let{encode:y}=await d(
void 0,()=>z(e.codec)),{framed:P}=await d(void 0,()=>U(n.frames));try{return P(y(m),l)}catch(b){throw ee(b,"bad-record",
`it is no record of ${l}`)}},h=(m=!1)=>a??=p.producer({id:Be(),linger:0,create:m}),p={append:(m,l={})=>h(l.create).append(
m,l),producer:m=>_t(e,t,c,w,m),async create({type:m=e.type??Ie,ttl:l,expiresAt:y,retention:P,slow:b,closed:E,records:v=[],
signal:H}={}){let R={"content-type":m,"stream-ttl":l,"stream-expires-at":y instanceof Date?y.toISOString():y,"stream-ret\
ention":P,"stream-slow":b,"stream-closed":E||void 0},S=await Promise.all(v.map(W=>w(W,m))),B=await d(H,()=>t.create(R,S.
length?Ne(S,m):void 0,H));return e.type=m,e.created=r.now(),{...B,type:B.type||m}},async head({signal:m}={}){let l=await d(
m,()=>t.head(m));return e.type=l?.type||e.type,l},close:m=>h().close(m),fail:(m,l,y)=>h().fail(m,l,y),async fork(m,l,{signal:y}={}){
let P=t.sibling(m),b=await P.writes(),E=new URL(t.sibling("").url).pathname;return await d(y,()=>b.create({"stream-forke\
d-from":E,"stream-fork-offset":l},void 0,y)),e.another(P)},async delete({signal:m}={}){await d(m,async l=>{try{await t.delete(
m)}catch(y){if(!l||y.code!=="stream-not-found")throw y}})}};return p}var or=A(()=>{"use strict";at();ie();q();Nt();zt();
$e();Y();K();rr()});function Ge(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Ir)){if(a==='"'&&(n=!n),n)continue;let c=a==="["||a==="{";c?o+=1:(a==="]"||a==="}")&&(o-=1),c&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Ir,
wt=A(()=>{"use strict";Ir=/\\.|["[\]{},]/gs});function gt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function _e(){let e=ft(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,gt(r),s}}var ht=A(()=>{"use strict";K()});function ze(e="",t){let r=_e(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),c=d<0?a:a.slice(0,d),w=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),h=n??{event:"",data:null,id:e};if(c==="\
data")h.data=h.data===null?w:`${h.data}
${w}`;else if(c==="event")h.event=w;else if(c==="id"&&!w.includes("\0"))e=w;else if(!t?.(c,w,h))continue;n=h,gt(n.data??
"")}return s}}var bt=A(()=>{"use strict";ht()});async function Je(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await U(t.frames);return n=>r(
n,e)}function Qe(e,t,r){if(!e.length)return[];try{return t(e).map(n=>it(n,r))}catch(n){throw me(n,"truncated")}}var vt=A(
()=>{"use strict";ie();Y();ye()});function ge(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Ve=A(()=>{"use strict"});function Ye({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let c=e.body?.getReader(),w=Number(e.headers.get("str\
eam-heartbeat"))*1e3,h=s||2.5*w||d,p=1/0,m=!0,l=()=>o.now()-p,y=()=>r(new T("silent",`nothing came in ${l()} ms`,{facts:{
first:m}})),P=o.watch(b=>{b==="freeze"?r(new T("network","page freeze")):b!=="hidden"&&b!=="offline"&&l()>h*1.2/2.5&&y()});
return t.addEventListener("abort",()=>{c?.cancel().catch(()=>{})}),{async read(){let b=m&&a||h;p=o.now();let E=o.timer(b,
()=>{l()<b+1e3?y():E=o.timer(3e3,y)});try{let v=await c?.read();return m=!1,t.throwIfAborted(),v?.value}catch(v){throw pt(
t,v)}finally{p=1/0,E()}},release(){P(),n()}}}var xt=A(()=>{"use strict";q();ne()});function $r(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return lt(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Ot(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),je(e,{url:$r(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*jr(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:c,accept:w}=r,h=await Ot(e,t,n,c,w),{response:p}=h,{headers:m}=p,l=Ye(h,o,s.silence,a);
try{if(p.status===204||!m.get("content-type")?.startsWith(w))return yield(await U(d.rest)).inPlaceOf(w,p,n.from);yield{kind:"\
open"};let y=await r.parser(p,n),P=r.tailless;for(;;){let b=l.read();P&&await Mr(b,o)&&(P=!1,yield{kind:"quiet"});let E=await b;
if(!E)break;let v=[];try{y(E,v)}catch(H){throw(await U(d.rest)).unreadable(H)}v.length||(yield{kind:"beat"}),yield*v}throw new T(
"truncated","the answer was cut")}finally{l.release()}}function Xe(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function Ze(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var he,Mr,Se=A(()=>{"use strict";xt();q();Y();ne();he=
e=>(t,r)=>({name:e.name,open:n=>jr(t,r,e,n)});Mr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.
then(o,o)})});async function*Gr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Kr,sr,ar=A(()=>{"use strict";ie();wt();K();bt();vt();
Ve();Se();Kr=he({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=ze(),s=e.get("stream-sse-data-encoding")==="base64",a=await z(n),d=s?await Je(r??"",t):void 0,c=[],
w=p=>d?Qe(de(p),d,a):(r?F(r)==="json":p.startsWith("["))?Ge(p):p?[{raw:p}]:[],h=(p,m)=>{let{streamNextOffset:l,streamClosed:y,
streamFailure:P,streamError:b,streamDetached:E,streamGap:v}=p,H=p.upToDate===!0&&!y,R=(S,B)=>{B&&m.push(ge(S,B,l))};R("s\
tream-gap",v),c.length?m.push({kind:"records",records:c,offset:l,upToDate:H}):v||R(H?"up-to-date":"beat",{}),c=[],P?R("s\
tream-failed",P):y?R("stream-closed",{}):b?R("stream-error",b):R("stream-detached",E)};return(p,m)=>{for(let{event:l,data:y}of o(
p))y!==null&&(l==="data"?c.push(...w(y)):l==="control"&&h(JSON.parse(y),m))}}});sr=(...e)=>{let{name:t,open:r}=Kr(...e);
return{name:t,open:n=>Gr(r(n))}}});function Jr(e,t){let r=_r.exec(e);return r&&Object.keys(t).every(n=>zr.test(n))?e.trimEnd().slice(r[0].length,-1):JSON.stringify(
t.data)}function Qr(e,t,r,n){let{offset:o,data:s,base64:a,at:d,by:c}=t,w=d===void 0?{offset:o}:{offset:o,known:{at:d,by:c}};
return a!==void 0?Object.assign(qe(de(a),o,n),w):r?{raw:Jr(e,t),value:s,...w}:{raw:String(s),...w}}var _r,zr,Vr,ir,dr=A(
()=>{"use strict";ie();ht();K();Ve();Se();_r=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,zr=/^(offset|at|by|data)$/;
Vr=e=>he({name:"ndjson",accept:"application/x-ndjson",query:e,async parser(t,{type:r,codec:n}){let o=await z(n),s=_e(),a=F(
r)==="json";return(d,c)=>{for(let w of s(d)){if(!w.trim())continue;let h=JSON.parse(w),{offset:p,control:m}=h;m==="up-to\
-date"?Ze(c,p):m?c.push(ge(`stream-${m}`,h,p)):Xe(c,Qr(w,h,a,o))}}}}),ir=(e,t)=>({name:"ndjson",open:r=>Vr(r.envelope?{envelope:1}:
{})(e,t).open(r)})});async function Xr(e,{environment:t,retry:r}){let n=Ye(e,t,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return Le(o)}finally{n.release()}}function Zr({headers:e,type:t,url:r},{length:n},o){let s=n<Number(e.get("con\
tent-length"))&&!e.has("content-encoding"),a=r+n;if(!(!s||t==="cors"&&fr.get(o)===a))throw fr.set(o,a),new T("truncated",
"the answer was cut")}async function en(e,t,r){let n=F(t);if(n==="bytes")return Qe(e,await Je(t,r),await z(r.codec));let o=$t(
e);if(n==="text")return o?[{raw:o}]:[];try{return Ge(o)}catch(s){throw me(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*tn(e,t,r){
let{live:n,missing:o}=r,{from:s,last:a}=r,d,c=s==="now";for(;;){let w=n&&(c||o==="wait"),h={...r,from:s,last:a,...w?{}:{
slow:void 0,missing:void 0}},p=await Ot(e,t,h,{live:w?"long-poll":void 0,cursor:d},void 0,w?Yr:0),{response:m}=p,{headers:l,
status:y}=m,P=l.get("stream-next-offset");if(P===null)throw p.release(),ue(m,"a page of a stream");let b=await Xr(p,r);y!==
204&&Zr(m,b,e);let E=l.get("content-type")??r.type??"",v=y===204?[]:await en(b,E,r),H=l.get("stream-up-to-date")==="true"||
y===204,R=H&&l.get("stream-closed")==="true",S=H&&!R;if(yield{kind:"open",type:E},v.length?yield{kind:"records",records:v,
offset:P,upToDate:S}:yield S?{kind:"up-to-date",offset:P}:{kind:"beat"},R&&(yield mt(l,P)),c&&(!v.length||P===s))break;c=
H,s=P,a=void 0,d=l.get("stream-cursor")??void 0}yield{kind:"stream-detached"}}var Yr,fr,cr,lr=A(()=>{"use strict";xt();ie();
q();$e();wt();K();ye();vt();Me();Se();Yr=6e4;fr=new WeakMap;cr=(e,t)=>({name:"long-poll",open:r=>tn(e,t,r)})});async function pr(e,t){let r=await z(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?de(s.base64):e?de(s):s};return(o,s)=>qe(
n(o),s,r)}var ur=A(()=>{"use strict";ie();K()});var Et,Pt,et,Tt=A(()=>{"use strict";ne();Et=new Map,Pt=e=>`headwater:transport:${we(e.url).origin}`,et=e=>{let t=Pt(e);try{
return Et.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function mr(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,c=0,w=0,h=()=>a+1>=n.length,p=(y,P)=>{a=y,d=P,c=w=0},m=()=>{
let y=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===y[0]?!1:(n=e.transports(y,void 0,r),p(0,d),!0)},l=s?et(
e):0;return l>o&&p(n.length-1,l),{current(y){return d&&y>=d&&p(0,0),[n[a],!h()]},settle:()=>p(a,d),async after({code:y,facts:P},b){
let E=y==="bad-answer";return c=E?c+1:0,w=y==="truncated"?w+1:0,E&&P.protocol&&s&&m()?!0:h()?c<3:(((y==="silent"?P.first:
y==="connect-timeout"&&t.length===1&&await an(e))||c>=3||w>=nn)&&(p(n.length-1,b+rn),s&&sn(Pt(e),d)),!0)}}}function sn(e,t){
Et.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var rn,nn,on,an,yr=A(()=>{"use strict";ne();Tt();rn=30*6e4,nn=
3,on=1e3;an=async({requester:e,url:t})=>e?.send({url:we(t).href,method:"HEAD",limit:on}).then(({release:r})=>(r(),!0),()=>!1)});var wr={};nt(wr,{badRecord:()=>Vt,choiceOf:()=>mr,inPlaceOf:()=>Zt,problemOf:()=>Qt,quoted:()=>pr,told:()=>Yt,transportOf:()=>fn,
unreadable:()=>me});function fn(e){let t=dn[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new T("unsupported",`the transport ${e} is not in the core; ${r}`)}var dn,
gr=A(()=>{"use strict";q();ar();dr();lr();ye();Me();ur();yr();dn={ndjson:ir,"long-poll":cr,"live-sse":sr}});var hr={};nt(hr,{framed:()=>ln,isDelimited:()=>kt,isMsgpack:()=>Rt,split:()=>cn});function cn(e,t){if(!Rt(t)&&!kt(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=Rt(t)?[n,mn(e,n)]:pn(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function ln(e,t){if(!kt(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function pn(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function mn(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=un[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var Rt,kt,un,br=A(()=>{"use strict";Rt=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),kt=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);un=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});var At,U,vr,Y=A(()=>{"use strict";q();At={writing:()=>Promise.resolve().then(()=>(or(),nr)),rest:()=>Promise.resolve().then(()=>(gr(),wr)),
frames:()=>Promise.resolve().then(()=>(br(),hr))},U=async(e,t)=>{try{return await e()}catch(r){throw new T("network",`im\
port(): ${r}`,{cause:r,retryAfter:t})}},vr=({rest:e})=>async t=>{let{problemOf:r}=await U(e,1e3*Number(t.headers.get("re\
try-after"))||0);return r(t)}});function wn(e=yn){let t=ze();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&Ze(n,a):o.startsWith("stream-")?
n.push(ge(o,JSON.parse(s),a)):Xe(n,e(s,a))}}var yn,xr,Or=A(()=>{"use strict";Y();K();bt();Ve();Se();yn=(e,t)=>({raw:e,offset:t});
xr=he({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return wn(o||F(t)!=="json"?await(await U(r.rest)).quoted(o,n):void 0)}})});function Ke(e,t,r){let n=()=>we(e).href,o=s=>({name:s,async*open(a){yield*(await U(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d){let c=[F(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(h=>h==="auto"?c:
h).map(h=>typeof h=="function"?h(t,n()):h!=="sse"?o(h):d?xr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await U(r.
writing)).httpWrites(t,n,r)}}var yt=A(()=>{"use strict";Y();K();ne();Or()});var ot=globalThis;function Ar(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Bt=()=>ot.document?.visibilityState==="hidden",Sr=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Cr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Bt()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Sr.forEach(o=>ot[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var st={now:()=>Date.now(),timer:Ar,random:()=>Math.random(),online:()=>ot.
navigator?.onLine!==!1,hidden:Bt,watch:Cr};q();yt();Y();Ae();at();function Er(e,t={}){let{id:r=Be()}=t,n,o=0,s=e({...t,id:r});s.then(c=>n=c,()=>{});let a=(c,w=0)=>(...h)=>(o+=w,s.then(
p=>p[c](...h))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async c=>{
await d.fail("aborted",c&&String(c))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}q();Y();Ae();K();pe();le();Tt();var St=e=>!/^(start|now|-1)$/.test(e);function Pr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:c,transport:w=e.transport}=t,h=[].concat(w),p=re(n,o),m={},l=t.from??"start",y,P,b=new AbortController,
E,v,H,R,S=c,B=!1,W=!1,G=[],N=0,oe,I,J,$,se=Promise.resolve(),be=()=>new Promise(u=>H=u);async function*X(u,x){try{for(;;){
let i=se.then(()=>Ce(u));se=i.catch(()=>{});let f=await i;if(!f)return;for(let g of x(f))yield g}}finally{await V()}}let ve=u=>{
let x=C[Symbol.asyncIterator]();return new ReadableStream({async pull(i){let f=await x.next();f.done?i.close():i.enqueue(
u(f.value))},cancel:()=>V()},{highWaterMark:0})},Ce=async u=>{$!==void 0&&v?.kind!=="stopped"&&(C.offset=$,$=void 0,await c?.
save(C.offset));let x=!1,i;if(!G[N]){let g=await xe();if(!g)return;oe=C.offset,{records:G,offset:I,upToDate:x,gap:i}=g,N=
0,J=F(e.type)}let f=[];for(let g=G[N];g&&f.length<u;g=G[N]){let{raw:O,offset:k=G[N+1]?oe:I}=g;try{let D=e.decode(O,typeof O==
"string"?J:"bytes",g);f.push({data:D instanceof Promise?await D:D,offset:k,raw:O,...g.known}),$=k,N+=1}catch(D){if(f.length){
x=!1;break}N+=1;let _=await U(e.parts.rest).then(({badRecord:j})=>j(D,O,k),j=>j);throw await V("error",_),_}}return $??=
l,{records:f,offset:$,upToDate:x,gap:i}},xe=async()=>{let u=v?void 0:(await(E??=ae()).next()).value;if(!u&&v?.error)throw v.
error;return u},Z=(u,x)=>{for(let i of m[u]??[])i(x)},L=u=>{u!==C.state&&Z("state",C.state=u)},Q=(u,x,i,f)=>{v||(v={kind:u,
offset:x,...i&&{code:i.code,error:i},...f},C.lastError=i??C.lastError,C.transport=null,L("ended"),H(v))},V=async(u="stop\
ped",x)=>{if(v)return;Q(u,C.offset,x),b.abort();let i=E;E=void 0,await i?.return()};async function*ae(){let u=[e.signal,
t.signal].map(x=>M(x,C.close));try{let x=await S?.load();for(S=void 0,x&&(l=C.offset=x);!v;)yield*tt()}finally{for(let x of u)
x()}}async function*tt(){let u=l,x,i=!1,f={};b=new AbortController,W=!1,R&&(yield R),R=void 0;try{L("connecting");for await(let O of await We()){
O.kind==="open"?x=o.now():O.kind!=="quiet"&&(i=!0);let D=(O.kind==="stream-error"||O.kind==="stream-failed")&&(await U(e.
parts.rest)).told(O);if(O.kind==="stream-error")throw D;if(O.kind==="stream-detached"){let j=Number(O.retry_after)*1e3;f=
{hint:j,personal:!0,planned:!j};break}let _=v?void 0:He(O);if(D&&Q("failed",l,D,D.facts),_&&(yield _),B&&Q("up-to-date",
l),v)break}}catch(O){if(!(O instanceof T))throw O;v||(f=await De(O,x,u))}finally{b.abort(),C.transport=null}let g=o.now();
v||await Te(W?p.held():p.end({up:g-(x??g),heard:i,...f}))}let We=async()=>{let u=o.now();y??=r.transports(h,e.type,s&&!t.
envelope),!P&&y[1]&&et(r)>u&&await ce();let[x,i]=P?.current(u)??y;return C.transport=x.name,x.open({...e,...t,live:s,from:l,
last:St(l)?void 0:t.last,first:i?3e3:void 0,signal:b.signal,sent:p.begin})},ce=async()=>P??=(await U(e.parts.rest)).choiceOf(
r,h,s,y,o.now()),rt=async(u,x,i)=>{let{code:f}=u;return f!=="network"&&(f!=="truncated"||!i&&x<1e3)?ce().then(g=>g.after(
u,o.now()),()=>!0):(P?.settle(),!0)},Oe=()=>{L("live"),B=!s},Ee=(u,x=!1)=>({records:u,offset:l,upToDate:x}),Pe=u=>(Z("ga\
p",u),{...Ee([]),gap:u}),He=u=>{let{kind:x,type:i,offset:f}=u,g=St(l);e.type||=i;let O=D=>!g||(D.offset??f)>l,k=u.kind===
"records"?u.records.filter(O):[];switch(f&&f!==l&&!(g&&f<l)&&(l=f,(g||x!=="up-to-date")&&p.progress()),u.kind){case"open":case"\
stream-created":return L("catching-up");case"stream-waiting":return L("absent");case"records":return u.upToDate&&Oe(),k.
length?Ee(k,u.upToDate):void 0;case"up-to-date":return Oe(),Ee([],!0);case"stream-gap":return Pe({from:u.from,to:u.to,reason:u.
reason});case"stream-signal":case"stream-presence":return Z("notice",{name:x.slice(7),data:u.data});case"stream-closed":
return Q("closed",l);default:C.state==="catching-up"&&g&&L("live")}},De=async(u,x,i)=>{let f=o.now(),{code:g,retryAfter:O}=u,
k=g==="stream-not-found";if(C.lastError=u,g==="stopped")Q("stopped",C.offset);else if(g==="offset-gone"&&a!=="throw"){let D=l;
l=a==="now"?a:String(u.facts.earliest??"start"),R=Pe({from:D,to:l,reason:"gone"})}else{if(g==="stream-awaited")return{planned:!0};
if(k&&d==="wait")L("absent");else{if(k&&f-e.created<1e4)return{hint:O};if(u.retryable&&await rt(u,f-(x??f),l!==i))Z("err\
or",u);else{let D=x!==void 0||St(l);Q((k||g==="stream-gone")&&D?"deleted":"error",C.offset,u)}}}return{hint:O}},Te=async u=>{
if(u===null){let f=C.lastError??new T("truncated","the answer was cut");Q("error",C.offset,f);return}let x=!o.online(),i=u;
o.hidden()&&p.count&&(i=Math.max(i,o.random()*n.cap)),x&&(i=Math.max(i,n.cap)),C.state!=="absent"&&i&&L(x?"offline":"wai\
ting"),b=new AbortController,await te(o,p,i,b.signal,(f,g)=>{C.retryAt=f,g==="offline"&&L(g)}),C.retryAt=null},C={state:"\
idle",offset:l,transport:null,get attempt(){return p.count},retryAt:null,lastError:null,end:be(),on(u,x){let i=m[u]??=new Set;
return i.add(x),()=>i.delete(x)},[Symbol.asyncIterator]:()=>X(1,({records:u})=>u),batches:()=>X(1/0,u=>[u]),readable:()=>ve(
({data:u})=>u),bytes:()=>ve(({raw:u})=>typeof u=="string"?fe(J==="json"?`${u}
`:u):u),skip(){v?.code==="bad-record"&&(v=void 0,C.end=be(),L("idle"))},reconnect(){p.count=0,W=!0,b.abort(new T("networ\
k","reconnect()"))},close:()=>{V()},[Symbol.asyncDispose]:()=>V()};return C}K();ne();pe();function Ct(e){if(e instanceof Promise)return e.then(Ct);if(e.issues)throw e;return e.value}le();var Wt=()=>{throw new T("unsupported","needs headwater/connection")};function Tr(e,t,r=-1/0){let{environment:n=st,decode:o,
schema:s,transport:a="auto",signal:d,parts:c=At}=t,w=Fe(t.retry),h,p={...t,door:e,retry:w,environment:n,transport:a,parts:c,
created:r,another:b=>Tr(b,t,n.now()),decode:(b,E,v)=>{let H=o?o(b):"value"in v?v.value:jt(b,E);return s?Ct(s["~standard"].
validate(H)):H}},m=async()=>{let b=re(w,n);for(;;){b.begin();try{return(await U(c.writing)).writerOf(p,await e.writes())}catch(E){
if(d?.aborted)throw ee(d.reason,"stopped","the signal was aborted");let v=b.end({});if(v===null)throw E;await te(n,b,v,d)}}},
l=()=>h??=m().catch(b=>(h=void 0,Promise.reject(b))),y=(b,E)=>(...v)=>new Promise((H,R)=>{let S=M(v[E]?.signal,R),B=W=>W[b](
...v);l().finally(S).then(B).then(H,R)}),P={get url(){return e.url},get type(){return p.type},[Symbol.asyncIterator]:()=>P.
read()[Symbol.asyncIterator](),read:(b={})=>Pr(p,b),async all(b){let E=[];for await(let{data:v}of P.read({...b,live:!1}))
E.push(v);return E},append:y("append",1),producer:b=>Er(E=>l().then(v=>v.producer(E)),b),create:y("create",0),head:y("he\
ad",0),close:y("close"),fail:y("fail"),fork:y("fork",2),delete:y("delete",0),...e.live??{signal:Wt,signals:Wt,presence:Wt},
sink:()=>p};return P}function Rr(e,t={}){let{environment:r=st,parts:n=At}=t;return Tr(Ke(e,{...Xt(t,r),problem:vr(n)},n),
t)}export{Rr as stream};
