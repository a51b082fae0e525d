// The client for TypeScript in one file. Made by `node scripts/bundles.ts` in clients/typescript; not to be edited.
var kr=Object.defineProperty;var A=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var nt=(e,t)=>{for(var r in t)kr(e,r,{get:t[r],enumerable:!0})};function It(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var k,Cr,
qt,ee,Re,Be,Ft,F=A(()=>{"use strict";k=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=Cr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},Cr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
qt=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),ee=(e,t,r)=>e instanceof k?e:new k(t,`${r}: ${e}`,{cause:e});Re=(e,t)=>new k(
"stopped",e,t?{cause:t}:{}),Be=(e,t)=>new k("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),Ft=()=>Be("the\
 server forgot this producer")});var qe,at=A(()=>{"use strict";qe=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function it(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var z,Ie,ie=A(()=>{"use st\
rict";Y();z=async e=>typeof e=="function"?U(async()=>e()):e;Ie=(e,t,r)=>Object.assign(it(e,r),{offset:t})});function M(e,t){let r=()=>{let n=e?.reason;t(n instanceof k?n:Re("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var le=A(()=>{"use strict";F()});function te(e,t,r,n,o,s){let a=[];return new Promise(d=>{let l,h=p=>{l=e.now()+p,a.push(e.timer(p,d,"pause")),o?.(l)};h(
r);let g=p=>{o?.(l,p),!(s||!/^(online|visible|resume)$/.test(p))&&(t.count=0,h(Math.max(p==="online"?e.random()*500:0,t.
held())))};a.push(M(n,()=>d()),e.watch(g))}).finally(()=>{for(let d of a)d()})}var Ae=A(()=>{"use strict";le()});function Fe(e){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...e===!1?{attempts:0}:
e}}function re({base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],l=!1,h,g=-1/0,p={count:0,begin(){
d=[...d.slice(-11),s()],h??=s(),l=!1},progress(){h=s(),p.count=0,l=!0,d=[]},held:()=>d.length<12?0:Math.max(0,d[0]+6e4-s()),
end({up:m=0,heard:c,planned:y,hint:P,personal:b}){let E=s(),v=m>=r&&c;v&&(p.count=0,h=E);let D=E-(h??E),T;return y&&(l||
v)?T=Math.max(0,g+1e3-E):l?T=a()*e:T=a()*Math.min(y?r:t,4*e+2*D,e*2**p.count++),y&&(g=E+T),P&&(T=Math.max(T,P*(b?1:1+.3*
a()))),T=Math.max(T,p.held()),p.count>n||T+D>o?null:T}};return p}var pe=A(()=>{"use strict"});async function Nt(e,t,r,n){let o=re(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
k)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let l=o.end({hint:d.retryAfter});if(l===null)throw d;await te(
e,o,l,r,void 0,d.retryAfter!==void 0)}}var Lt=A(()=>{"use strict";F();Ae();pe()});var Ne,q,de,fe,ft,$t,jt,G=A(()=>{"use strict";Ne="application/json",q=(e=Ne)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",de=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),fe=e=>new TextEncoder().
encode(e),ft=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),$t=e=>ft().decode(e),jt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):fe(e)});function Gt(e,t){let r=q(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return fe(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new k("bad-record",`${typeof e} i\
s no record of ${t}`)}function Le(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function $e(e,t){return q(t)!=="json"?Le(e):Le([...e.flatMap((r,n)=>[fe(n?",":"["),r]),fe("]")])}var Mt,
je=A(()=>{"use strict";F();G();Mt=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function Kt({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:l,linger:h=5,batchBytes:g=1<<20,bufferBytes:p=8<<20,
claim:m,create:c,idempotent:y=!0}=d,P=y?d.inFlight??5:1,{epoch:b=0}=d;if(!l||!(b>=0&&g>0&&P>0))throw new k("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let E=re(t,r),v=new AbortController,D=0,T,S,B=[],W=[],_,
L=0,oe="",I,J,$=Promise.resolve(),se=!1,be=!1,X=-1/0,ve=[],We,xe=async i=>{for(;!i();)await new Promise(f=>ve.push(f))},
Z=()=>{for(let i of ve.splice(0))i()},N=()=>xe(()=>{let i=L<p||I;return i||ae(),i}),Q=async(i,f,w,O)=>{T??=await s();let R=await a(
i,T);if(await N(),I)throw I;let H={bytes:R,resolve:f,reject:w};V(H),H.ignore=M(O,K=>{let j=S?.entries.indexOf(H)??-1;S&&
j>=0?(S.entries.splice(j,1),S.size-=R.length,L-=R.length,w(K)):w(Re("the signal was aborted; the record may arrive",O?.reason))})},
V=i=>{let{bytes:f}=i,w=f?.length??0;return S&&f&&(!Mt(T)||S.size+w>g)&&ae(),S??={entries:[],size:0,seq:0,bad:0},S.entries.
push(i),S.size+=w,L+=w,_??=r.timer(h,ae),S},ae=()=>{_?.(),_=void 0,S?.entries.length&&B.push(S),S=void 0,ce()},tt=async(i,f)=>{
if(await $,I)throw I;T??=await s();let w=()=>{};return f!==void 0&&V({bytes:await a(f,T),resolve:w,reject:w}),new Promise(
(O,R)=>{V({resolve:O,reject:R}).close=i,ae()})},De=(i,f)=>(J??=tt(i,f),J.catch(()=>J=void 0),J),ce=()=>{se&&!W.length&&(se=
!1,b+=1,D=0);let i=()=>W.some(f=>!f.seq)||B[0]?.close&&W.length;for(;!se&&B.length&&W.length<P&&!i();){let f=B.shift();f.
seq=D++,f.lost=!1,W.push(f),rt(f)}},rt=async i=>{let f=_t(i),w={body:f.length?$e(f,T):void 0,type:T,producer:y?[l,b,i.seq]:
void 0,create:c?{}:void 0,...i.close};for(i.write=w;i.write===w;){let O=Math.min(...W.map(R=>R.seq));(!e.live||i.seq===O)&&
E.begin();try{let{offset:R}=await o.write(w,v.signal);if(i.write!==w)return;E.progress(),R>oe&&(oe=R),Te(i,R);return}catch(R){
if(i.write!==w||!await Oe(i,R,O))return}}},Oe=async(i,f,w)=>{let{code:O,facts:R,message:H,retryable:K,retryAfter:j,status:Dt}=f;
if(K&&!y&&Dt===void 0)return Ue(i,Be(H,f));if(K&&!(O==="bad-answer"&&++i.bad>=3)){let ke=r.now();if(i.lost=!0,ke>=X){let Ht=E.
end({hint:j});if(Ht===null)return u(Be(H,f));X=ke+Ht}return await te(r,E,X-ke,v.signal,void 0,j!==void 0),X=Math.min(X,r.
now()),!0}return O==="producer-gap"?Ee(i,Number(R.expected??R.expected_seq),w):O==="producer-fenced"&&m?Pe(Number(R.epoch??
b)+1):Dt===404&&c&&!be?(be=!0,o.create({"content-type":T},void 0,v.signal).then(()=>!0,ke=>Oe(i,ke,w))):Ue(i,f)},Ee=async(i,f,w)=>{
if(f>i.seq)return Te(i,oe);if(f<w||w===i.seq)return Pe(b+1);let O=W.find(R=>R.seq<i.seq);return await xe(()=>!O||!W.includes(
O)),!0},Pe=i=>{b=i,D=0;for(let f of W)f.lost&&C(f,Ft());He(W.filter(f=>f.write)),W=[],ce(),Z()},He=i=>{for(let f of i)f.
write=void 0;B.unshift(...i)},Ue=(i,f)=>{if(Dr.test(f.code))return u(f);let w=W.filter(O=>O.seq>i.seq);W=W.filter(O=>O.seq<=
i.seq),He(w),se=!0,Te(i,f)},Te=(i,f)=>{W=W.filter(w=>w!==i),C(i,f),ce(),Z()},C=(i,f)=>{i.write=void 0,L-=i.size;for(let{
resolve:w,reject:O,ignore:R}of i.entries)R?.(),typeof f=="string"?w(f):O(f)},u=i=>{I??=i,_?.(),We?.();let f=[...W,...B,...S?
[S]:[]];W=[],B=[],S=void 0,v.abort(i);for(let w of f)C(w,i);Z()},x={id:l,get pending(){return[...W,...B,...S?[S]:[]].flatMap(
_t).length},append(i,{signal:f}={}){return J?Promise.reject(new k("stream-closed","this producer has closed the stream")):
new Promise((w,O)=>{$=$.then(()=>Q(i,w,O,f)).catch(O)})},async write(i){if(I)throw I;x.append(i).catch(f=>I??=f),await $,
await N()},async flush(){if(await $,ae(),await xe(()=>!S&&!B.length&&!W.length),I)throw I;return oe},close:i=>De({close:!0},
i),fail:(i,f,w)=>De({close:!0,fail:{code:i,message:f}},w),async[Symbol.asyncDispose](){await x.flush().finally(()=>u(Re(
"the producer was disposed of")))}};return We=M(n,u),x}var Dr,_t,zt=A(()=>{"use strict";F();Ae();je();pe();le();Dr=/^(producer-fenced|stream-closed|stream-gone)$/,
_t=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Jt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new k(ct(n)??Hr[e]??(e<500?"bad-answer":"\
internal"),ct(o??s??a)??`the server answered ${e}`,{status:e,retryable:qt(e),offset:ct(d),facts:t,...r})}async function Qt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of Ur)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Jt(t,s,{retryAfter:It(r.get("retry-after"))})}function ue({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new k(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Vt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new k("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function Yt(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
k?s:Jt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new k(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Hr,ct,Ur,me,ye=A(()=>{"use strict";F();Hr={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},ct=e=>typeof e=="string"?e:void 0;Ur=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];me=(e,t="bad-answer")=>ee(e,t,
"the answer cannot be read")});function ge(e){return new URL(e,globalThis.location?.href)}function lt(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function Me(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function Xt(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:l},h)=>{let g=new Headers(
typeof r=="function"?await r():r);lt(g,d);let{credentials:p}=e;return(e.fetch??fetch)(a,{method:s,headers:g,body:l,credentials:p,
signal:h,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,l=m=>a.abort(m),h=[e.signal,s.signal].map(
m=>M(m,l)),g=t.timer(s.limit,()=>l(new k("connect-timeout",`nothing came in ${s.limit} ms`))),p=()=>{g();for(let m of h)
m();a.abort()};try{let m=await new Promise((c,y)=>{M(d,y),n(s,d).then(c,y)});return m.ok&&g(),{response:m,signal:d,abort:l,
release:p}}catch(m){let c=pt(d,m);throw p(),c}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var pt,ne=A(()=>{"use strict";F();le();pt=(e,t)=>ee(e.reason??t,"networ\
k","no answer")});function ut(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function mt(e,t){let r=e.get("stream-next-offset")??t,n=ut(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function Zt(e,t,r){if(t.status===204)return mt(t.headers,r);throw ue(t,e)}var Ge=A(()=>{
"use strict";ye()});function er(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:ut(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function tr(e,t,r){
let n=async(o,s,a,d)=>{let l=Fe(e.options.retry).connect+(d?Br:0),{response:h,release:g}=await Me(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:l});if(g(),h.status!==204&&!h.headers.has("stream-next-offset"))throw ue(h,"what a stream's server\
 says");return h};return{async write({body:o,type:s,producer:a,close:d,fail:l,create:h},g){let[p,m,c]=a??[],y={...h,"str\
eam-create":h&&!0,"content-type":o||h?s:void 0,"producer-id":p,"producer-epoch":m,"producer-seq":c,"stream-closed":d||void 0,
"stream-failure":l?.code,"stream-failure-message":l?.message?encodeURIComponent(l.message):void 0};return{offset:(await n(
"POST",g,y,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>er((await n("PUT",a,o,s)).headers),async head(o){
try{return er((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>_e(new URL(o,t()),e,r)}}var Br,rr=A(()=>{"use strict";yt();ye();ne();pe();Ge();Br=6e4});var nr={};nt(nr,{httpWrites:()=>tr,writerOf:()=>qr});function qr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(m,c)=>Nt(
r,o,m??s,c),l=async()=>e.type??(await p.head())?.type??Ne,h=async(m,c)=>{if(!e.codec)return Gt(m,c);let{encode:y}=await d(
void 0,()=>z(e.codec)),{framed:P}=await d(void 0,()=>U(n.frames));try{return P(y(m),c)}catch(b){throw ee(b,"bad-record",
`it is no record of ${c}`)}},g=(m=!1)=>a??=p.producer({id:qe(),linger:0,create:m}),p={append:(m,c={})=>g(c.create).append(
m,c),producer:m=>Kt(e,t,l,h,m),async create({type:m=e.type??Ne,ttl:c,expiresAt:y,retention:P,slow:b,closed:E,records:v=[],
signal:D}={}){let T={"content-type":m,"stream-ttl":c,"stream-expires-at":y instanceof Date?y.toISOString():y,"stream-ret\
ention":P,"stream-slow":b,"stream-closed":E||void 0},S=await Promise.all(v.map(W=>h(W,m))),B=await d(D,()=>t.create(T,S.
length?$e(S,m):void 0,D));return e.type=m,e.created=r.now(),{...B,type:B.type||m}},async head({signal:m}={}){let c=await d(
m,()=>t.head(m));return e.type=c?.type||e.type,c},close:m=>g().close(m),fail:(m,c,y)=>g().fail(m,c,y),async fork(m,c,{signal:y}={}){
let P=t.sibling(m),b=await P.writes(),E=new URL(t.sibling("").url).pathname;return await d(y,()=>b.create({"stream-forke\
d-from":E,"stream-fork-offset":c},void 0,y)),e.another(P)},async delete({signal:m}={}){await d(m,async c=>{try{await t.delete(
m)}catch(y){if(!c||y.code!=="stream-not-found")throw y}})}};return p}var or=A(()=>{"use strict";at();ie();F();Lt();zt();
je();Y();G();rr()});function Ke(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Ir)){if(a==='"'&&(n=!n),n)continue;let l=a==="["||a==="{";l?o+=1:(a==="]"||a==="}")&&(o-=1),l&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Ir,
gt=A(()=>{"use strict";Ir=/\\.|["[\]{},]/gs});function wt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function ze(){let e=ft(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,wt(r),s}}var ht=A(()=>{"use strict";G()});function Je(e="",t){let r=ze(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),l=d<0?a:a.slice(0,d),h=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),g=n??{event:"",data:null,id:e};if(l==="\
data")g.data=g.data===null?h:`${g.data}
${h}`;else if(l==="event")g.event=h;else if(l==="id"&&!h.includes("\0"))e=h;else if(!t?.(l,h,g))continue;n=g,wt(n.data??
"")}return s}}var bt=A(()=>{"use strict";ht()});async function Qe(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await U(t.frames);return n=>r(
n,e)}function Ve(e,t,r){if(!e.length)return[];try{return t(e).map(n=>it(n,r))}catch(n){throw me(n,"truncated")}}var vt=A(
()=>{"use strict";ie();Y();ye()});function we(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Ye=A(()=>{"use strict"});function Xe({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let l=e.body?.getReader(),h=Number(e.headers.get("str\
eam-heartbeat"))*1e3,g=s||2.5*h||d,p=1/0,m=!0,c=()=>o.now()-p,y=()=>r(new k("silent",`nothing came in ${c()} ms`,{facts:{
first:m}})),P=o.watch(b=>{b==="freeze"?r(new k("network","the page is put away")):b!=="hidden"&&b!=="offline"&&c()>g*1.2/
2.5&&y()});return t.addEventListener("abort",()=>{l?.cancel().catch(()=>{})}),{async read(){let b=m&&a||g;p=o.now();let E=o.
timer(b,()=>{c()<b+1e3?y():E=o.timer(3e3,y)});try{let v=await l?.read();return m=!1,t.throwIfAborted(),v?.value}catch(v){
throw pt(t,v)}finally{p=1/0,E()}},release(){P(),n()}}}var xt=A(()=>{"use strict";F();ne()});function Lr(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return lt(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Ot(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),Me(e,{url:Lr(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*$r(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:l,accept:h}=r,g=await Ot(e,t,n,l,h),{response:p}=g,{headers:m}=p,c=Xe(g,o,s.silence,a);
try{if(p.status===204||!m.get("content-type")?.startsWith(h))return yield(await U(d.rest)).inPlaceOf(h,p,n.from);yield{kind:"\
open"};let y=await r.parser(p,n),P=r.tailless;for(;;){let b=c.read();P&&await jr(b,o)&&(P=!1,yield{kind:"quiet"});let E=await b;
if(!E)break;let v=[];try{y(E,v)}catch(D){throw(await U(d.rest)).unreadable(D)}v.length||(yield{kind:"beat"}),yield*v}throw new k(
"truncated","the answer was cut")}finally{c.release()}}function Se(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function Ze(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var he,jr,Ce=A(()=>{"use strict";xt();F();Y();ne();he=
e=>(t,r)=>({name:e.name,open:n=>$r(t,r,e,n)});jr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.
then(o,o)})});async function*Gr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Mr,sr,ar=A(()=>{"use strict";ie();gt();G();bt();vt();
Ye();Ce();Mr=he({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=Je(),s=e.get("stream-sse-data-encoding")==="base64",a=await z(n),d=s?await Qe(r??"",t):void 0,l=[],
h=p=>d?Ve(de(p),d,a):(r?q(r)==="json":p.startsWith("["))?Ke(p):p?[{raw:p}]:[],g=(p,m)=>{let{streamNextOffset:c,streamClosed:y,
streamFailure:P,streamError:b,streamDetached:E,streamGap:v}=p,D=p.upToDate===!0&&!y,T=(S,B)=>{B&&m.push(we(S,B,c))};T("s\
tream-gap",v),l.length?m.push({kind:"records",records:l,offset:c,upToDate:D}):v||T(D?"up-to-date":"beat",{}),l=[],P?T("s\
tream-failed",P):y?T("stream-closed",{}):b?T("stream-error",b):T("stream-detached",E)};return(p,m)=>{for(let{event:c,data:y}of o(
p))y!==null&&(c==="data"?l.push(...h(y)):c==="control"&&g(JSON.parse(y),m))}}});sr=(...e)=>{let{name:t,open:r}=Mr(...e);
return{name:t,open:n=>Gr(r(n))}}});function Kr(e,t){let r=_r.exec(e);return r&&Object.keys(t).length===2?e.trimEnd().slice(r[0].length,-1):JSON.stringify(t.
data)}var _r,ir,dr=A(()=>{"use strict";ie();ht();G();Ye();Ce();_r=/^\{"offset":"[^"\\]*","data":/;ir=he({name:"ndjson",accept:"\
application/x-ndjson",query:{},async parser(e,{type:t,codec:r}){let n=await z(r),o=ze(),s=q(t)==="json";return(a,d)=>{for(let l of o(
a)){if(!l.trim())continue;let h=JSON.parse(l),{offset:g,control:p,data:m,base64:c}=h;p==="up-to-date"?Ze(d,g):p?d.push(we(
`stream-${p}`,h,g)):c!==void 0?Se(d,Ie(de(c),g,n)):Se(d,s?{raw:Kr(l,h),value:m,offset:g}:{raw:String(m),offset:g})}}}})});async function Jr(e,{environment:t,retry:r}){let n=Xe(e,t,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return Le(o)}finally{n.release()}}async function Qr(e,t,r){let n=q(t);if(n==="bytes")return Ve(e,await Qe(t,r),
await z(r.codec));let o=$t(e);if(n==="text")return o?[{raw:o}]:[];try{return Ke(o)}catch(s){throw me(s,/]\s*$/.test(o)?"\
bad-answer":"truncated")}}async function*Vr(e,t,r){let{live:n,missing:o}=r,{from:s,last:a}=r,d,l=s==="now";for(;;){let h=n&&
(l||o==="wait"),g={...r,from:s,last:a,...h?{}:{slow:void 0,missing:void 0}},p=await Ot(e,t,g,{live:h?"long-poll":void 0,
cursor:d},void 0,h?zr:0),{response:m}=p,{headers:c,status:y}=m,P=c.get("stream-next-offset");if(P===null)throw p.release(),
ue(m,"a page of a stream");let b=await Jr(p,r),E=c.get("content-type")??r.type??"",v=y===204?[]:await Qr(b,E,r),D=c.get(
"stream-up-to-date")==="true"||y===204,T=D&&c.get("stream-closed")==="true",S=D&&!T;if(yield{kind:"open",type:E},v.length?
yield{kind:"records",records:v,offset:P,upToDate:S}:yield S?{kind:"up-to-date",offset:P}:{kind:"beat"},T&&(yield mt(c,P)),
l&&(!v.length||P===s))break;l=D,s=P,a=void 0,d=c.get("stream-cursor")??void 0}yield{kind:"stream-detached"}}var zr,fr,cr=A(
()=>{"use strict";xt();ie();je();gt();G();ye();vt();Ge();Ce();zr=6e4;fr=(e,t)=>({name:"long-poll",open:r=>Vr(e,t,r)})});async function lr(e,t){let r=await z(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?de(s.base64):e?de(s):s};return(o,s)=>Ie(
n(o),s,r)}var pr=A(()=>{"use strict";ie();G()});var Et,Pt,et,Tt=A(()=>{"use strict";ne();Et=new Map,Pt=e=>`headwater:transport:${ge(e.url).origin}`,et=e=>{let t=Pt(e);try{
return Et.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function ur(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,l=0,h=0,g=()=>a+1>=n.length,p=(y,P)=>{a=y,d=P,l=h=0},m=()=>{
let y=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===y[0]?!1:(n=e.transports(y,void 0,r),p(0,d),!0)},c=s?et(
e):0;return c>o&&p(n.length-1,c),{current(y){return d&&y>=d&&p(0,0),[n[a],!g()]},settle:()=>p(a,d),async after({code:y,facts:P},b){
let E=y==="bad-answer";return l=E?l+1:0,h=y==="truncated"?h+1:0,E&&P.protocol&&s&&m()?!0:g()?l<3:(((y==="silent"?P.first:
y==="connect-timeout"&&t.length===1&&await tn(e))||l>=3||h>=Xr)&&(p(n.length-1,b+Yr),s&&en(Pt(e),d)),!0)}}}function en(e,t){
Et.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var Yr,Xr,Zr,tn,mr=A(()=>{"use strict";ne();Tt();Yr=30*6e4,Xr=
3,Zr=1e3;tn=async({requester:e,url:t})=>e?.send({url:ge(t).href,method:"HEAD",limit:Zr}).then(({release:r})=>(r(),!0),()=>!1)});var yr={};nt(yr,{badRecord:()=>Vt,choiceOf:()=>ur,inPlaceOf:()=>Zt,problemOf:()=>Qt,quoted:()=>lr,told:()=>Yt,transportOf:()=>nn,
unreadable:()=>me});function nn(e){let t=rn[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new k("unsupported",`the transport ${e} is not in the core; ${r}`)}var rn,
gr=A(()=>{"use strict";F();ar();dr();cr();ye();Ge();pr();mr();rn={ndjson:ir,"long-poll":fr,"live-sse":sr}});var wr={};nt(wr,{framed:()=>sn,isDelimited:()=>Rt,isMsgpack:()=>kt,split:()=>on});function on(e,t){if(!kt(t)&&!Rt(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=kt(t)?[n,fn(e,n)]:an(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function sn(e,t){if(!Rt(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function an(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function fn(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=dn[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var kt,Rt,dn,hr=A(()=>{"use strict";kt=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),Rt=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);dn=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});var At,U,br,Y=A(()=>{"use strict";F();At={writing:()=>Promise.resolve().then(()=>(or(),nr)),rest:()=>Promise.resolve().then(()=>(gr(),yr)),
frames:()=>Promise.resolve().then(()=>(hr(),wr))},U=async(e,t)=>{try{return await e()}catch(r){throw new k("network",`im\
port() failed: ${r}`,{cause:r,retryAfter:t})}},br=({rest:e})=>async t=>{let{problemOf:r}=await U(e,1e3*Number(t.headers.
get("retry-after"))||0);return r(t)}});function ln(e=cn){let t=Je();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&Ze(n,a):o.startsWith("stream-")?
n.push(we(o,JSON.parse(s),a)):Se(n,e(s,a))}}var cn,vr,xr=A(()=>{"use strict";Y();G();bt();Ye();Ce();cn=(e,t)=>({raw:e,offset:t});
vr=he({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return ln(o||q(t)!=="json"?await(await U(r.rest)).quoted(o,n):void 0)}})});function _e(e,t,r){let n=()=>ge(e).href,o=s=>({name:s,async*open(a){yield*(await U(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d){let l=[q(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(g=>g==="auto"?l:
g).map(g=>typeof g=="function"?g(t,n()):g!=="sse"?o(g):d?vr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await U(r.
writing)).httpWrites(t,n,r)}}var yt=A(()=>{"use strict";Y();G();ne();xr()});var ot=globalThis;function Rr(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Bt=()=>ot.document?.visibilityState==="hidden",Ar=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Sr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Bt()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Ar.forEach(o=>ot[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var st={now:()=>Date.now(),timer:Rr,random:()=>Math.random(),online:()=>ot.
navigator?.onLine!==!1,hidden:Bt,watch:Sr};F();yt();Y();Ae();at();function Or(e,t={}){let{id:r=qe()}=t,n,o=0,s=e({...t,id:r});s.then(l=>n=l,()=>{});let a=(l,h=0)=>(...g)=>(o+=h,s.then(
p=>p[l](...g))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async l=>{
await d.fail("aborted",l&&String(l))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}F();Y();Ae();G();pe();le();Tt();var St=e=>!/^(start|now|-1)$/.test(e);function Er(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:l,transport:h=e.transport}=t,g=[].concat(h),p=re(n,o),m={},c=t.from??"start",y,P,b=new AbortController,
E,v,D,T,S=l,B=!1,W=!1,_=[],L=0,oe,I,J,$,se=Promise.resolve(),be=()=>new Promise(u=>D=u);async function*X(u,x){try{for(;;){
let i=se.then(()=>We(u));se=i.catch(()=>{});let f=await i;if(!f)return;for(let w of x(f))yield w}}finally{await V()}}let ve=u=>{
let x=C[Symbol.asyncIterator]();return new ReadableStream({async pull(i){let f=await x.next();f.done?i.close():i.enqueue(
u(f.value))},cancel:()=>V()},{highWaterMark:0})},We=async u=>{$!==void 0&&v?.kind!=="stopped"&&(C.offset=$,$=void 0,await l?.
save(C.offset));let x=!1,i;if(!_[L]){let w=await xe();if(!w)return;oe=C.offset,{records:_,offset:I,upToDate:x,gap:i}=w,L=
0,J=q(e.type)}let f=[];for(let w=_[L];w&&f.length<u;w=_[L]){let{raw:O,offset:R=_[L+1]?oe:I}=w;try{let H=e.decode(O,typeof O==
"string"?J:"bytes",w);f.push({data:H instanceof Promise?await H:H,offset:R,raw:O}),$=R,L+=1}catch(H){if(f.length){x=!1;break}
L+=1;let K=await U(e.parts.rest).then(({badRecord:j})=>j(H,O,R),j=>j);throw await V("error",K),K}}return $??=c,{records:f,
offset:$,upToDate:x,gap:i}},xe=async()=>{let u=v?void 0:(await(E??=ae()).next()).value;if(!u&&v?.error)throw v.error;return u},
Z=(u,x)=>{for(let i of m[u]??[])i(x)},N=u=>{u!==C.state&&Z("state",C.state=u)},Q=(u,x,i,f)=>{v||(v={kind:u,offset:x,...i&&
{code:i.code,error:i},...f},C.lastError=i??C.lastError,C.transport=null,N("ended"),D(v))},V=async(u="stopped",x)=>{if(v)
return;Q(u,C.offset,x),b.abort();let i=E;E=void 0,await i?.return()};async function*ae(){let u=[e.signal,t.signal].map(x=>M(
x,C.close));try{let x=await S?.load();for(S=void 0,x&&(c=C.offset=x);!v;)yield*tt()}finally{for(let x of u)x()}}async function*tt(){
let u=c,x,i=!1,f={};b=new AbortController,W=!1,T&&(yield T),T=void 0;try{N("connecting");for await(let O of await De()){
O.kind==="open"?x=o.now():O.kind!=="quiet"&&(i=!0);let H=(O.kind==="stream-error"||O.kind==="stream-failed")&&(await U(e.
parts.rest)).told(O);if(O.kind==="stream-error")throw H;if(O.kind==="stream-detached"){let j=Number(O.retry_after)*1e3;f=
{hint:j,personal:!0,planned:!j};break}let K=v?void 0:He(O);if(H&&Q("failed",c,H,H.facts),K&&(yield K),B&&Q("up-to-date",
c),v)break}}catch(O){if(!(O instanceof k))throw O;v||(f=await Ue(O,x,u))}finally{b.abort(),C.transport=null}let w=o.now();
v||await Te(W?p.held():p.end({up:w-(x??w),heard:i,...f}))}let De=async()=>{let u=o.now();y??=r.transports(g,e.type,s),!P&&
y[1]&&et(r)>u&&await ce();let[x,i]=P?.current(u)??y;return C.transport=x.name,x.open({...e,...t,live:s,from:c,last:St(c)?
void 0:t.last,first:i?3e3:void 0,signal:b.signal,sent:p.begin})},ce=async()=>P??=(await U(e.parts.rest)).choiceOf(r,g,s,
y,o.now()),rt=async(u,x,i)=>{let{code:f}=u;return f!=="network"&&(f!=="truncated"||!i&&x<1e3)?ce().then(w=>w.after(u,o.now()),
()=>!0):(P?.settle(),!0)},Oe=()=>{N("live"),B=!s},Ee=(u,x=!1)=>({records:u,offset:c,upToDate:x}),Pe=u=>(Z("gap",u),{...Ee(
[]),gap:u}),He=u=>{let{kind:x,type:i,offset:f}=u,w=St(c);e.type||=i;let O=H=>!w||(H.offset??f)>c,R=u.kind==="records"?u.
records.filter(O):[];switch(f&&f!==c&&!(w&&f<c)&&(c=f,(w||x!=="up-to-date")&&p.progress()),u.kind){case"open":case"strea\
m-created":return N("catching-up");case"stream-waiting":return N("absent");case"records":return u.upToDate&&Oe(),R.length?
Ee(R,u.upToDate):void 0;case"up-to-date":return Oe(),Ee([],!0);case"stream-gap":return Pe({from:u.from,to:u.to,reason:u.
reason});case"stream-signal":case"stream-presence":return Z("notice",{name:x.slice(7),data:u.data});case"stream-closed":
return Q("closed",c);default:C.state==="catching-up"&&w&&N("live")}},Ue=async(u,x,i)=>{let f=o.now(),{code:w,retryAfter:O}=u,
R=w==="stream-not-found";if(C.lastError=u,w==="stopped")Q("stopped",C.offset);else if(w==="offset-gone"&&a!=="throw"){let H=c;
c=a==="now"?a:String(u.facts.earliest??"start"),T=Pe({from:H,to:c,reason:"gone"})}else{if(w==="stream-awaited")return{planned:!0};
if(R&&d==="wait")N("absent");else{if(R&&f-e.created<1e4)return{hint:O};if(u.retryable&&await rt(u,f-(x??f),c!==i))Z("err\
or",u);else{let H=x!==void 0||St(c);Q((R||w==="stream-gone")&&H?"deleted":"error",C.offset,u)}}}return{hint:O}},Te=async u=>{
if(u===null){let f=C.lastError??new k("truncated","the answer was cut");Q("error",C.offset,f);return}let x=!o.online(),i=u;
o.hidden()&&p.count&&(i=Math.max(i,o.random()*n.cap)),x&&(i=Math.max(i,n.cap)),C.state!=="absent"&&i&&N(x?"offline":"wai\
ting"),b=new AbortController,await te(o,p,i,b.signal,(f,w)=>{C.retryAt=f,w==="offline"&&N(w)}),C.retryAt=null},C={state:"\
idle",offset:c,transport:null,get attempt(){return p.count},retryAt:null,lastError:null,end:be(),on(u,x){let i=m[u]??=new Set;
return i.add(x),()=>i.delete(x)},[Symbol.asyncIterator]:()=>X(1,({records:u})=>u),batches:()=>X(1/0,u=>[u]),readable:()=>ve(
({data:u})=>u),bytes:()=>ve(({raw:u})=>typeof u=="string"?fe(J==="json"?`${u}
`:u):u),skip(){v?.code==="bad-record"&&(v=void 0,C.end=be(),N("idle"))},reconnect(){p.count=0,W=!0,b.abort(new k("networ\
k","reconnect()"))},close:()=>{V()},[Symbol.asyncDispose]:()=>V()};return C}G();ne();pe();function Ct(e){if(e instanceof Promise)return e.then(Ct);if(e.issues)throw e;return e.value}le();var Wt=()=>{throw new k("unsupported","this needs headwater/connection")};function Pr(e,t,r=-1/0){let{environment:n=st,
decode:o,schema:s,transport:a="auto",signal:d,parts:l=At}=t,h=Fe(t.retry),g,p={...t,door:e,retry:h,environment:n,transport:a,
parts:l,created:r,another:b=>Pr(b,t,n.now()),decode:(b,E,v)=>{let D=o?o(b):"value"in v?v.value:jt(b,E);return s?Ct(s["~s\
tandard"].validate(D)):D}},m=async()=>{let b=re(h,n);for(;;){b.begin();try{return(await U(l.writing)).writerOf(p,await e.
writes())}catch(E){if(d?.aborted)throw ee(d.reason,"stopped","the signal was aborted");let v=b.end({});if(v===null)throw E;
await te(n,b,v,d)}}},c=()=>g??=m().catch(b=>(g=void 0,Promise.reject(b))),y=(b,E)=>(...v)=>new Promise((D,T)=>{let S=M(v[E]?.
signal,T),B=W=>W[b](...v);c().finally(S).then(B).then(D,T)}),P={get url(){return e.url},get type(){return p.type},[Symbol.
asyncIterator]:()=>P.read()[Symbol.asyncIterator](),read:(b={})=>Er(p,b),async all(b){let E=[];for await(let{data:v}of P.
read({...b,live:!1}))E.push(v);return E},append:y("append",1),producer:b=>Or(E=>c().then(v=>v.producer(E)),b),create:y("\
create",0),head:y("head",0),close:y("close"),fail:y("fail"),fork:y("fork",2),delete:y("delete",0),...e.live??{signal:Wt,
signals:Wt,presence:Wt},sink:()=>p};return P}function Tr(e,t={}){let{environment:r=st,parts:n=At}=t;return Pr(_e(e,{...Xt(
t,r),problem:br(n)},n),t)}export{Tr as stream};
