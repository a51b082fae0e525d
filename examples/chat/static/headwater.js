// The client for TypeScript in one file. Made by `node scripts/bundles.ts` in clients/typescript; not to be edited.
var Rr=Object.defineProperty;var S=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var ot=(e,t)=>{for(var r in t)Rr(e,r,{get:t[r],enumerable:!0})};function Nt(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var P,Wr,
It,Z,ke,qe,Lt,q=S(()=>{"use strict";P=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=Wr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},Wr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
It=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),Z=(e,t,r)=>e instanceof P?e:new P(t,`${r}: ${e}`,{cause:e});ke=(e,t)=>new P(
"stopped",e,t?{cause:t}:{}),qe=(e,t)=>new P("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),Lt=()=>qe("the\
 server forgot this producer")});var Fe,it=S(()=>{"use strict";Fe=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function dt(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var J,Ie,de=S(()=>{"use st\
rict";Y();J=async e=>typeof e=="function"?B(async()=>e()):e;Ie=(e,t,r)=>Object.assign(dt(e,r),{offset:t})});function M(e,t){let r=()=>{let n=e?.reason;t(n instanceof P?n:ke("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var pe=S(()=>{"use strict";q()});function ee(e,t,r,n,o,s){let a=[];return new Promise(d=>{let c,w=m=>{c=e.now()+m,a.push(e.timer(m,d,"pause")),o?.(c)};w(
r);let g=m=>{o?.(c,m),!(s||!/^(on|v|r)/.test(m))&&w(Math.max(m==="online"?e.random()*500:0,t.woken()))};a.push(M(n,()=>d()),
e.watch(g))}).finally(()=>{for(let d of a)d()})}var Re=S(()=>{"use strict";pe()});function Ne(e){return{base:1e3,cap:3e4,attempts:e===!1?0:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0,...e}}function te({
base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],c=!1,w,g=0,m,u=()=>{let y=s()-6e4;d=d.filter(h=>h>
y);let O=12-d.length;return 2*O<12?(d[0]-y)/Math.max(1,O+1):0},l={count:0,begin:()=>{d.push(s())},progress(){d=[],c=!0,l.
count=0},woken:()=>(l.count=g=0,u()),end({up:y=0,heard:O,planned:h,hint:T=0,personal:v}){let U=s(),C=c||y>=r&&O;C&&(l.count=
g=0,m=U);let k=U-(m??=U),D=1e3-y;return(!h||!C)&&(w=g===1?1-w:a(),D=w*Math.min(h?r:t,2*(e+k),e*2**g++),c||l.count++),c=!1,
D=Math.max(D,u(),T*(v?1:1+.3*a())),l.count>n||D+k>o?null:D}};return l}var ue=S(()=>{"use strict"});async function $t(e,t,r,n){let o=te(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
P)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let c=o.end({hint:d.retryAfter});if(c===null)throw d;await ee(
e,o,c,r,void 0,d.retryAfter!==void 0)}}var jt=S(()=>{"use strict";q();Re();ue()});var Le,F,fe,ce,ct,Mt,Kt,K=S(()=>{"use strict";Le="application/json",F=(e=Le)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",fe=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),ce=e=>new TextEncoder().
encode(e),ct=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),Mt=e=>ct().decode(e),Kt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):ce(e)});function Gt(e,t){let r=F(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return ce(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new P("bad-record",`${typeof e} i\
s no record of ${t}`)}function $e(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function je(e,t){return F(t)!=="json"?$e(e):$e([...e.flatMap((r,n)=>[ce(n?",":"["),r]),ce("]")])}var lt,
Me=S(()=>{"use strict";q();K();lt=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function zt({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:c,linger:w=5,batchBytes:g=1<<20,bufferBytes:m=8<<20,
claim:u,create:l,idempotent:y=!0}=d,O=y?d.inFlight??5:1,{epoch:h=0}=d;if(!c||!(h>=0&&g>0&&O>0))throw new P("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let T=te(t,r),v=new AbortController,U=0,C,k,D=[],W=[],_,
L=0,ne="",I,Q,$=Promise.resolve(),oe=!1,ve=!1,se=!1,X=-1/0,Se=[],Ce,V=async i=>{for(;!i();)await new Promise(f=>Se.push(
f))},N=()=>{for(let i of Se.splice(0))i()},z=()=>V(()=>{let i=L<m||I;return i||ie(),i}),ae=async(i,f,b,A)=>{C??=await s();
let R=await a(i,C);if(await z(),I)throw I;let j={bytes:R,resolve:f,reject:b};xe(j),j.ignore=M(A,G=>{let Pe=k?.entries.indexOf(
j)??-1;k&&Pe>=0?(k.entries.splice(Pe,1),k.size-=R.length,L-=R.length,b(G)):b(ke("the signal was aborted; the record may \
arrive",A?.reason))})},xe=i=>{let{bytes:f}=i,b=f?.length??0;return lt(C)&&!D.at(-1)?.close&&(k??=D.pop()),k&&f&&(!lt(C)||
k.size+b>g)&&ie(),k??={entries:[],size:0,seq:0,bad:0},k.entries.push(i),k.size+=b,L+=b,_??=r.timer(w,ie),k},ie=()=>{_?.(),
_=void 0,k?.entries.length&&D.push(k),k=void 0,Ee()},nt=async(i,f)=>{if(await $,I)throw I;C??=await s();let b=()=>{};return f!==
void 0&&xe({bytes:await a(f,C),resolve:b,reject:b}),new Promise((A,R)=>{xe({resolve:A,reject:R}).close=i,ie()})},Oe=(i,f)=>(Q??=
nt(i,f),Q.catch(()=>Q=void 0),Q),Ee=()=>{oe&&!W.length&&(oe=!1,h+=1,U=0);let i=()=>W.some(f=>!f.seq)||(D[0]?.close||se)&&
W.length;for(;!oe&&D.length&&W.length<O&&!i();){let f=D.shift();f.seq=U++,f.lost=!1,W.push(f),We(f)}},We=async i=>{let f=_t(
i),b={body:f.length?je(f,C):void 0,type:C,producer:y?[c,h,i.seq]:void 0,create:l?{}:void 0,...i.close};for(i.write=b;i.write===
b;){let A=W[0].seq;(!e.live||i.seq===A)&&T.begin();try{let{offset:R}=await o.write(b,v.signal);if(i.write!==b)return;T.progress(),
se=!1,R>ne&&(ne=R),H(i,R);return}catch(R){if(i.write!==b||!await le(i,R,A))return}}},le=async(i,f,b)=>{let{code:A,facts:R,
message:j,retryable:G,retryAfter:Pe,status:Ut}=f;if(G&&!y&&Ut===void 0)return Be(i,qe(j,f));if(G&&!(A==="bad-answer"&&++i.
bad>=3)){let Te=r.now();if(i.lost=!0,se=!e.live,Te>=X){let Bt=T.end({hint:Pe});if(Bt===null)return x(qe(j,f));X=Te+Bt}return await ee(
r,T,X-Te,v.signal,void 0,Pe!==void 0),X=Math.min(X,r.now()),await V(()=>!se||!i.write||i===W[0]),!0}return A==="producer\
-gap"?He(i,Number(R.expected??R.expected_seq),b):A==="producer-fenced"&&u?De(Number(R.epoch??h)+1):Ut===404&&l&&!ve?(ve=
!0,o.create({"content-type":C},void 0,v.signal).then(()=>!0,Te=>le(i,Te,b))):Be(i,f)},He=async(i,f,b)=>{if(f>i.seq)return H(
i,ne);if(f<b||b===i.seq)return De(h+1);let A=W.find(R=>R.seq<i.seq);return await V(()=>!A||!W.includes(A)),!0},De=i=>{h=
i,U=0;for(let f of W)f.lost&&p(f,Lt());Ue(W.filter(f=>f.write)),W=[],Ee(),N()},Ue=i=>{for(let f of i)f.write=void 0;D.unshift(
...i)},Be=(i,f)=>{if(Dr.test(f.code))return x(f);let b=W.filter(A=>A.seq>i.seq);W=W.filter(A=>A.seq<=i.seq),Ue(b),oe=!0,
H(i,f)},H=(i,f)=>{W=W.filter(b=>b!==i),p(i,f),Ee(),N()},p=(i,f)=>{i.write=void 0,L-=i.size;for(let{resolve:b,reject:A,ignore:R}of i.
entries)R?.(),typeof f=="string"?b(f):A(f)},x=i=>{I??=i,_?.(),Ce?.();let f=[...W,...D,...k?[k]:[]];W=[],D=[],k=void 0,v.
abort(i);for(let b of f)p(b,i);N()},E={id:c,get pending(){return[...W,...D,...k?[k]:[]].flatMap(_t).length},append(i,{signal:f}={}){
return Q?Promise.reject(new P("stream-closed","this producer has closed the stream")):new Promise((b,A)=>{$=$.then(()=>ae(
i,b,A,f)).catch(A)})},async write(i){if(I)throw I;E.append(i).catch(f=>I??=f),await $,await z()},async flush(){if(await $,
ie(),await V(()=>!k&&!D.length&&!W.length),I)throw I;return ne},close:i=>Oe({close:!0},i),fail:(i,f,b)=>Oe({close:!0,fail:{
code:i,message:f}},b),async[Symbol.asyncDispose](){await E.flush().finally(()=>x(ke("the producer was disposed of")))}};
return Ce=M(n,x),E}var Dr,_t,Jt=S(()=>{"use strict";q();Re();Me();ue();pe();Dr=/^(producer-fenced|stream-closed|stream-gone)$/,
_t=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Qt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new P(pt(n)??Ur[e]??(e<500?"bad-answer":"\
internal"),pt(o??s??a)??`the server answered ${e}`,{status:e,retryable:It(e),offset:pt(d),facts:t,...r})}async function Vt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of Br)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Qt(t,s,{retryAfter:Nt(r.get("retry-after"))})}function me({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new P(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Yt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new P("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function Xt(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
P?s:Qt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new P(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Ur,pt,Br,ye,we=S(()=>{"use strict";q();Ur={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},pt=e=>typeof e=="string"?e:void 0;Br=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];ye=(e,t="bad-answer")=>Z(e,t,
"the answer cannot be read")});function ge(e){return new URL(e,globalThis.location?.href)}function ut(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function Ke(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function Zt(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:c},w)=>{let g=new Headers(
typeof r=="function"?await r():r);ut(g,d);let{credentials:m}=e;return(e.fetch??fetch)(a,{method:s,headers:g,body:c,credentials:m,
signal:w,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,c=u=>a.abort(u),w=[e.signal,s.signal].map(
u=>M(u,c)),g=t.timer(s.limit,()=>c(new P("connect-timeout",`nothing came in ${s.limit} ms`))),m=()=>{g();for(let u of w)
u();a.abort()};try{let u=await new Promise((l,y)=>{M(d,y),n(s,d).then(l,y)});return u.ok&&g(),{response:u,signal:d,abort:c,
release:m}}catch(u){let l=mt(d,u);throw m(),l}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var mt,re=S(()=>{"use strict";q();pe();mt=(e,t)=>Z(e.reason??t,"network",
"no answer")});function yt(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function wt(e,t){let r=e.get("stream-next-offset")??t,n=yt(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function er(e,t,r){if(t.status===204)return wt(t.headers,r);throw me(t,e)}var Ge=S(()=>{
"use strict";we()});function tr(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:yt(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function rr(e,t,r){
let n=async(o,s,a,d)=>{let c=Ne(e.options.retry).connect+(d?qr:0),{response:w,release:g}=await Ke(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:c});if(g(),w.status!==204&&!w.headers.has("stream-next-offset"))throw me(w,"what a stream's server\
 says");return w};return{async write({body:o,type:s,producer:a,close:d,fail:c,create:w},g){let[m,u,l]=a??[],y={...w,"str\
eam-create":w&&!0,"content-type":o||w?s:void 0,"producer-id":m,"producer-epoch":u,"producer-seq":l,"stream-closed":d||void 0,
"stream-failure":c?.code,"stream-failure-message":c?.message?encodeURIComponent(c.message):void 0};return{offset:(await n(
"POST",g,y,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>tr((await n("PUT",a,o,s)).headers),async head(o){
try{return tr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>_e(new URL(o,t()),e,r)}}var qr,nr=S(()=>{"use strict";gt();we();re();ue();Ge();qr=6e4});var or={};ot(or,{httpWrites:()=>rr,writerOf:()=>Fr});function Fr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(u,l)=>$t(
r,o,u??s,l),c=async()=>e.type??(await m.head())?.type??Le,w=async(u,l)=>{if(!e.codec)return Gt(u,l);let{encode:y}=await d(
void 0,()=>J(e.codec)),{framed:O}=await d(void 0,()=>B(n.frames));try{return O(y(u),l)}catch(h){throw Z(h,"bad-record",`\
it is no record of ${l}`)}},g=(u=!1)=>a??=m.producer({id:Fe(),linger:0,create:u}),m={append:(u,l={})=>g(l.create).append(
u,l),producer:u=>zt(e,t,c,w,u),async create({type:u=e.type??Le,ttl:l,expiresAt:y,retention:O,slow:h,closed:T,records:v=[],
signal:U}={}){let C={"content-type":u,"stream-ttl":l,"stream-expires-at":y instanceof Date?y.toISOString():y,"stream-ret\
ention":O,"stream-slow":h,"stream-closed":T||void 0},k=await Promise.all(v.map(W=>w(W,u))),D=await d(U,()=>t.create(C,k.
length?je(k,u):void 0,U));return e.type=u,e.created=r.now(),{...D,type:D.type||u}},async head({signal:u}={}){let l=await d(
u,()=>t.head(u));return e.type=l?.type||e.type,l},close:u=>g().close(u),fail:(u,l,y)=>g().fail(u,l,y),async fork(u,l,{signal:y}={}){
let O=t.sibling(u),h=await O.writes(),T=new URL(t.sibling("").url).pathname;return await d(y,()=>h.create({"stream-forke\
d-from":T,"stream-fork-offset":l},void 0,y)),e.another(O)},async delete({signal:u}={}){await d(u,async l=>{try{await t.delete(
u)}catch(y){if(!l||y.code!=="stream-not-found")throw y}})}};return m}var sr=S(()=>{"use strict";it();de();q();jt();Jt();
Me();Y();K();nr()});function ze(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Ir)){if(a==='"'&&(n=!n),n)continue;let c=a==="["||a==="{";c?o+=1:(a==="]"||a==="}")&&(o-=1),c&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Ir,
ht=S(()=>{"use strict";Ir=/\\.|["[\]{},]/gs});function bt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function Je(){let e=ct(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,bt(r),s}}var vt=S(()=>{"use strict";K()});function Qe(e="",t){let r=Je(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),c=d<0?a:a.slice(0,d),w=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),g=n??{event:"",data:null,id:e};if(c==="\
data")g.data=g.data===null?w:`${g.data}
${w}`;else if(c==="event")g.event=w;else if(c==="id"&&!w.includes("\0"))e=w;else if(!t?.(c,w,g))continue;n=g,bt(n.data??
"")}return s}}var xt=S(()=>{"use strict";vt()});async function Ve(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await B(t.frames);return n=>r(
n,e)}function Ye(e,t,r){if(!e.length)return[];try{return t(e).map(n=>dt(n,r))}catch(n){throw ye(n,"truncated")}}var Ot=S(
()=>{"use strict";de();Y();we()});function he(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Xe=S(()=>{"use strict"});function Ze({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let c=e.body?.getReader(),w=Number(e.headers.get("str\
eam-heartbeat"))*1e3,g=s||2.5*w||d,m=1/0,u=!0,l=()=>o.now()-m,y=()=>r(new P("silent",`nothing came in ${l()} ms`,{facts:{
first:u}})),O=o.watch(h=>{h==="freeze"?r(new P("network",h)):h!=="hidden"&&h!=="offline"&&l()>g*1.2/2.5&&y()});return t.
addEventListener("abort",()=>{c?.cancel().catch(()=>{})}),{async read(){let h=u&&a||g;m=o.now();let T=o.timer(h,()=>{l()<
h+1e3?y():T=o.timer(3e3,y)});try{let v=await c?.read();return u=!1,t.throwIfAborted(),v?.value}catch(v){throw mt(t,v)}finally{
m=1/0,T()}},release(){O(),n()}}}var Et=S(()=>{"use strict";q();re()});function $r(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return ut(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Pt(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),Ke(e,{url:$r(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*jr(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:c,accept:w}=r,g=await Pt(e,t,n,c,w),{response:m}=g,{headers:u}=m,l=Ze(g,o,s.silence,a);
try{if(m.status===204||!u.get("content-type")?.startsWith(w))return yield(await B(d.rest)).inPlaceOf(w,m,n.from);yield{kind:"\
open"};let y=await r.parser(m,n),O=r.tailless;for(;;){let h=l.read();O&&await Mr(h,o)&&(O=!1,yield{kind:"quiet"});let T=await h;
if(!T)break;let v=[];try{y(T,v)}catch(U){throw(await B(d.rest)).unreadable(U)}v.length||(yield{kind:"beat"}),yield*v}throw new P(
"truncated","the answer was cut")}finally{l.release()}}function et(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function tt(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var be,Mr,Ae=S(()=>{"use strict";Et();q();Y();re();be=
e=>(t,r)=>({name:e.name,open:n=>jr(t,r,e,n)});Mr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.
then(o,o)})});async function*Gr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Kr,ar,ir=S(()=>{"use strict";de();ht();K();xt();Ot();
Xe();Ae();Kr=be({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=Qe(),s=e.get("stream-sse-data-encoding")==="base64",a=await J(n),d=s?await Ve(r??"",t):void 0,c=[],
w=m=>d?Ye(fe(m),d,a):(r?F(r)==="json":m.startsWith("["))?ze(m):m?[{raw:m}]:[],g=(m,u)=>{let{streamNextOffset:l,streamClosed:y,
streamFailure:O,streamError:h,streamDetached:T,streamGap:v}=m,U=m.upToDate===!0&&!y,C=(k,D)=>{D&&u.push(he(k,D,l))};C("s\
tream-gap",v),c.length?u.push({kind:"records",records:c,offset:l,upToDate:U}):v||C(U?"up-to-date":"beat",{}),c=[],O?C("s\
tream-failed",O):y?C("stream-closed",{}):h?C("stream-error",h):C("stream-detached",T)};return(m,u)=>{for(let{event:l,data:y}of o(
m))y!==null&&(l==="data"?c.push(...w(y)):l==="control"&&g(JSON.parse(y),u))}}});ar=(...e)=>{let{name:t,open:r}=Kr(...e);
return{name:t,open:n=>Gr(r(n))}}});function Jr(e,t){let r=_r.exec(e);return r&&Object.keys(t).every(n=>zr.test(n))?e.trimEnd().slice(r[0].length,-1):JSON.stringify(
t.data)}function Qr(e,t,r,n){let{offset:o,data:s,base64:a,at:d,by:c}=t,w=d===void 0?{offset:o}:{offset:o,known:{at:d,by:c}};
return a!==void 0?Object.assign(Ie(fe(a),o,n),w):r?{raw:Jr(e,t),value:s,...w}:{raw:String(s),...w}}var _r,zr,Vr,dr,fr=S(
()=>{"use strict";de();vt();K();Xe();Ae();_r=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,zr=/^(offset|at|by|data)$/;
Vr=e=>be({name:"ndjson",accept:"application/x-ndjson",query:e,async parser(t,{type:r,codec:n}){let o=await J(n),s=Je(),a=F(
r)==="json";return(d,c)=>{for(let w of s(d)){if(!w.trim())continue;let g=JSON.parse(w),{offset:m,control:u}=g;u==="up-to\
-date"?tt(c,m):u?c.push(he(`stream-${u}`,g,m)):et(c,Qr(w,g,a,o))}}}}),dr=(e,t)=>({name:"ndjson",open:r=>Vr(r.envelope?{envelope:1}:
{})(e,t).open(r)})});async function Xr(e,{environment:t,retry:r}){let n=Ze(e,t,r.silence),{headers:o,type:s}=e.response,a=[];try{for(let c=await n.
read();c;c=await n.read())a.push(c);let d=$e(a);if(s!=="cors"&&!o.has("content-encoding")&&d.length<Number(o.get("conten\
t-length")))throw new P("truncated","the answer was cut");return d}finally{n.release()}}async function Zr(e,t,r){let n=F(
t);if(n==="bytes")return Ye(e,await Ve(t,r),await J(r.codec));let o=Mt(e);if(n==="text")return o?[{raw:o}]:[];try{return ze(
o)}catch(s){throw ye(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*en(e,t,r){let{live:n,missing:o}=r,{from:s,
last:a}=r,d,c=s==="now";for(;;){let w=n&&(c||o==="wait"),g={...r,from:s,last:a,...w?{}:{slow:void 0,missing:void 0}},m=await Pt(
e,t,g,{live:w?"long-poll":void 0,cursor:d},void 0,w?Yr:0),{response:u}=m,{headers:l,status:y}=u,O=l.get("stream-next-off\
set");if(O===null)throw m.release(),me(u,"a page of a stream");let h=await Xr(m,r),T=l.get("content-type")??r.type??"",v=y===
204?[]:await Zr(h,T,r),U=l.get("stream-up-to-date")==="true"||y===204,C=U&&l.get("stream-closed")==="true",k=U&&!C;if(yield{
kind:"open",type:T},v.length?yield{kind:"records",records:v,offset:O,upToDate:k}:yield k?{kind:"up-to-date",offset:O}:{kind:"\
beat"},C&&(yield wt(l,O)),c&&(!v.length||O===s))break;c=U,s=O,a=void 0,d=l.get("stream-cursor")??void 0}yield{kind:"stre\
am-detached"}}var Yr,cr,lr=S(()=>{"use strict";Et();de();q();Me();ht();K();we();Ot();Ge();Ae();Yr=6e4;cr=(e,t)=>({name:"\
long-poll",open:r=>en(e,t,r)})});async function pr(e,t){let r=await J(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?fe(s.base64):e?fe(s):s};return(o,s)=>Ie(
n(o),s,r)}var ur=S(()=>{"use strict";de();K()});var Tt,kt,rt,Rt=S(()=>{"use strict";re();Tt=new Map,kt=e=>`headwater:transport:${ge(e.url).origin}`,rt=e=>{let t=kt(e);try{
return Tt.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function mr(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,c=0,w=0,g=()=>a+1>=n.length,m=(y,O)=>{a=y,d=O,c=w=0},u=()=>{
let y=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===y[0]?!1:(n=e.transports(y,void 0,r),m(0,d),!0)},l=s?rt(
e):0;return l>o&&m(n.length-1,l),{current(y){return d&&y>=d&&m(0,0),[n[a],!g()]},settle:()=>m(a,d),async after({code:y,facts:O},h){
let T=y==="bad-answer";return c=T?c+1:0,w=y==="truncated"?w+1:0,T&&O.protocol&&s&&u()?!0:g()?c<3:(((y==="silent"?O.first:
y==="connect-timeout"&&t.length===1&&await sn(e))||c>=3||w>=rn)&&(m(n.length-1,h+tn),s&&on(kt(e),d)),!0)}}}function on(e,t){
Tt.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var tn,rn,nn,sn,yr=S(()=>{"use strict";re();Rt();tn=30*6e4,rn=
3,nn=1e3;sn=async({requester:e,url:t})=>e?.send({url:ge(t).href,method:"HEAD",limit:nn}).then(({release:r})=>(r(),!0),()=>!1)});var wr={};ot(wr,{badRecord:()=>Yt,choiceOf:()=>mr,inPlaceOf:()=>er,problemOf:()=>Vt,quoted:()=>pr,told:()=>Xt,transportOf:()=>dn,
unreadable:()=>ye});function dn(e){let t=an[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new P("unsupported",`the transport ${e} is not in the core; ${r}`)}var an,
gr=S(()=>{"use strict";q();ir();fr();lr();we();Ge();ur();yr();an={ndjson:dr,"long-poll":cr,"live-sse":ar}});var hr={};ot(hr,{framed:()=>cn,isDelimited:()=>St,isMsgpack:()=>At,split:()=>fn});function fn(e,t){if(!At(t)&&!St(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=At(t)?[n,un(e,n)]:ln(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function cn(e,t){if(!St(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function ln(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function un(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=pn[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var At,St,pn,br=S(()=>{"use strict";At=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),St=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);pn=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});var Ct,B,vr,Y=S(()=>{"use strict";q();Ct={writing:()=>Promise.resolve().then(()=>(sr(),or)),rest:()=>Promise.resolve().then(()=>(gr(),wr)),
frames:()=>Promise.resolve().then(()=>(br(),hr))},B=async(e,t)=>{try{return await e()}catch(r){throw new P("network",`im\
port(): ${r}`,{cause:r,retryAfter:t})}},vr=({rest:e})=>async t=>{let{problemOf:r}=await B(e,1e3*Number(t.headers.get("re\
try-after"))||0);return r(t)}});function yn(e=mn){let t=Qe();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&tt(n,a):o.startsWith("stream-")?
n.push(he(o,JSON.parse(s),a)):et(n,e(s,a))}}var mn,xr,Or=S(()=>{"use strict";Y();K();xt();Xe();Ae();mn=(e,t)=>({raw:e,offset:t});
xr=be({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return yn(o||F(t)!=="json"?await(await B(r.rest)).quoted(o,n):void 0)}})});function _e(e,t,r){let n=()=>ge(e).href,o=s=>({name:s,async*open(a){yield*(await B(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d){let c=[F(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(g=>g==="auto"?c:
g).map(g=>typeof g=="function"?g(t,n()):g!=="sse"?o(g):d?xr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await B(r.
writing)).httpWrites(t,n,r)}}var gt=S(()=>{"use strict";Y();K();re();Or()});var st=globalThis;function Ar(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Ft=()=>st.document?.visibilityState==="hidden",Sr=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Cr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Ft()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Sr.forEach(o=>st[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var at={now:()=>Date.now(),timer:Ar,random:Math.random,online:()=>st.navigator?.
onLine!==!1,hidden:Ft,watch:Cr};q();gt();Y();Re();it();function Er(e,t={}){let{id:r=Fe()}=t,n,o=0,s=e({...t,id:r});s.then(c=>n=c,()=>{});let a=(c,w=0)=>(...g)=>(o+=w,s.then(
m=>m[c](...g))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async c=>{
await d.fail("aborted",c&&String(c))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}q();Y();Re();K();ue();pe();Rt();var Wt=e=>!/^(start|now|-1)$/.test(e);function Pr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:c,transport:w=e.transport}=t,g=[].concat(w),m=te(n,o),u={},l=t.from??"start",y,O,h=new AbortController,
T,v,U,C,k=c,D=!1,W=!1,_=[],L=0,ne,I,Q,$,oe=Promise.resolve(),ve=()=>new Promise(p=>U=p);async function*se(p,x){try{for(;;){
let E=oe.then(()=>Se(p));oe=E.catch(()=>{});let i=await E;if(!i)return;for(let f of x(i))yield f}}finally{await ae()}}let X=p=>{
let x=H[Symbol.asyncIterator]();return new ReadableStream({async pull(E){let i=await x.next();i.done?E.close():E.enqueue(
p(i.value))},cancel:()=>ae()},{highWaterMark:0})},Se=async p=>{$!==void 0&&v?.kind!=="stopped"&&(H.offset=$,$=void 0,await c?.
save(H.offset));let x=!1,E;if(!_[L]){let f=await Ce();if(!f)return;ne=H.offset,{records:_,offset:I,upToDate:x,gap:E}=f,L=
0,Q=F(e.type)}let i=[];for(let f=_[L];f&&i.length<p;f=_[L]){let{raw:b,offset:A=_[L+1]?ne:I}=f;try{let R=e.decode(b,typeof b==
"string"?Q:"bytes",f);i.push({data:R instanceof Promise?await R:R,offset:A,raw:b,...f.known}),$=A,L+=1}catch(R){if(i.length){
x=!1;break}L+=1;let j=await B(e.parts.rest).then(({badRecord:G})=>G(R,b,A),G=>G);throw await ae("error",j),j}}return $??=
l,{records:i,offset:$,upToDate:x,gap:E}},Ce=async()=>{let p=v?void 0:(await(T??=xe()).next()).value;if(!p&&v?.error)throw v.
error;return p},V=(p,x)=>{for(let E of u[p]??[])E(x)},N=p=>{p!==H.state&&V("state",H.state=p)},z=(p,x,E,i)=>{v||(v={kind:p,
offset:x,...E&&{code:E.code,error:E},...i},H.lastError=E??H.lastError,H.transport=null,N("ended"),U(v))},ae=async(p="sto\
pped",x)=>{if(v)return;z(p,H.offset,x),h.abort();let E=T;T=void 0,await E?.return()};async function*xe(){let p=[e.signal,
t.signal].map(x=>M(x,H.close));try{let x=await k?.load();for(k=void 0,x&&(l=H.offset=x);!v;)yield*ie()}finally{for(let x of p)
x()}}async function*ie(){let p=l,x,E=!1,i={};h=new AbortController,W=!1,C&&(yield C),C=void 0;try{N("connecting");for await(let b of await nt()){
b.kind==="open"?x=o.now():b.kind!=="quiet"&&(E=!0);let R=(b.kind==="stream-error"||b.kind==="stream-failed")&&(await B(e.
parts.rest)).told(b);if(b.kind==="stream-error")throw R;if(b.kind==="stream-detached"){let G=Number(b.retry_after)*1e3;i=
{hint:G,personal:!0,planned:!G};break}let j=v?void 0:De(b);if(R&&z("failed",l,R,R.facts),j&&(yield j),D&&z("up-to-date",
l),v)break}}catch(b){if(!(b instanceof P))throw b;v||(i=await Ue(b,x,p))}finally{h.abort(),H.transport=null}let f=o.now();
v||await Be(W?m.woken():m.end({up:f-(x??f),heard:E,...i}))}let nt=async()=>{let p=o.now();y??=r.transports(g,e.type,s&&!t.
envelope),!O&&y[1]&&rt(r)>p&&await Oe();let[x,E]=O?.current(p)??y;return H.transport=x.name,x.open({...e,...t,live:s,from:l,
last:Wt(l)?void 0:t.last,first:E?3e3:void 0,signal:h.signal,sent:m.begin})},Oe=async()=>O??=(await B(e.parts.rest)).choiceOf(
r,g,s,y,o.now()),Ee=async(p,x,E)=>{let{code:i}=p;return i!=="network"&&(i!=="truncated"||!E&&x<1e3)?Oe().then(f=>f.after(
p,o.now()),()=>!0):(O?.settle(),!0)},We=()=>{N("live"),D=!s},le=(p,x=!1)=>({records:p,offset:l,upToDate:x}),He=p=>(V("ga\
p",p),{...le([]),gap:p}),De=p=>{let{kind:x,type:E,offset:i}=p,f=Wt(l);e.type||=E;let b=R=>!f||(R.offset??i)>l,A=p.kind===
"records"?p.records.filter(b):[];switch(i&&i!==l&&!(f&&i<l)&&(l=i,(f||x!=="up-to-date")&&m.progress()),p.kind){case"open":case"\
stream-created":return N("catching-up");case"stream-waiting":return N("absent");case"records":return p.upToDate&&We(),A.
length?le(A,p.upToDate):void 0;case"up-to-date":return We(),le([],!0);case"stream-gap":return He({from:p.from,to:p.to,reason:p.
reason});case"stream-signal":case"stream-presence":return V("notice",{name:x.slice(7),data:p.data});case"stream-closed":
return z("closed",l);default:H.state==="catching-up"&&f&&N("live")}},Ue=async(p,x,E)=>{let i=o.now(),{code:f,retryAfter:b}=p,
A=f==="stream-not-found";if(H.lastError=p,f==="stopped")z("stopped",H.offset);else if(f==="offset-gone"&&a!=="throw"){let R=l;
l=a==="now"?a:String(p.facts.earliest??"start"),C=He({from:R,to:l,reason:"gone"})}else{if(f==="stream-awaited")return{planned:!0};
if(A&&d==="wait")N("absent");else{if(A&&i-e.created<1e4)return{hint:b};if(p.retryable&&await Ee(p,i-(x??i),l!==E))V("err\
or",p);else{let R=x!==void 0||Wt(l);z((A||f==="stream-gone")&&R?"deleted":"error",H.offset,p)}}}return{hint:b}},Be=async p=>{
if(p===null){let i=H.lastError??new P("truncated","the answer was cut");z("error",H.offset,i);return}let x=!o.online(),E=p;
o.hidden()&&m.count&&(E=Math.max(E,o.random()*n.cap)),x&&(E=Math.max(E,n.cap)),H.state!=="absent"&&E&&N(x?"offline":"wai\
ting"),h=new AbortController,await ee(o,m,E,h.signal,(i,f)=>{H.retryAt=i,f==="offline"&&N(f)}),H.retryAt=null},H={state:"\
idle",offset:l,transport:null,get attempt(){return m.count},retryAt:null,lastError:null,end:ve(),on(p,x){let E=u[p]??=new Set;
return E.add(x),()=>E.delete(x)},[Symbol.asyncIterator]:()=>se(1,({records:p})=>p),batches:()=>se(1/0,p=>[p]),readable:()=>X(
({data:p})=>p),bytes:()=>X(({raw:p})=>typeof p=="string"?ce(Q==="json"?`${p}
`:p):p),skip(){v?.code==="bad-record"&&(v=void 0,H.end=ve(),N("idle"))},reconnect(){m.woken(),W=!0,h.abort(new P("networ\
k","reconnect()"))},close:()=>{ae()},[Symbol.asyncDispose]:()=>ae()};return H}K();re();ue();function Ht(e){if(e instanceof Promise)return e.then(Ht);if(e.issues)throw e;return e.value}pe();var Dt=()=>{throw new P("unsupported","needs headwater/connection")};function Tr(e,t,r=-1/0){let{environment:n=at,decode:o,
schema:s,transport:a="auto",signal:d,parts:c=Ct}=t,w=Ne(t.retry),g,m={...t,door:e,retry:w,environment:n,transport:a,parts:c,
created:r,another:h=>Tr(h,t,n.now()),decode:(h,T,v)=>{let U=o?o(h):"value"in v?v.value:Kt(h,T);return s?Ht(s["~standard"].
validate(U)):U}},u=async()=>{let h=te(w,n);for(;;){h.begin();try{return(await B(c.writing)).writerOf(m,await e.writes())}catch(T){
if(d?.aborted)throw Z(d.reason,"stopped","the signal was aborted");let v=h.end({});if(v===null)throw T;await ee(n,h,v,d)}}},
l=()=>g??=u().catch(h=>(g=void 0,Promise.reject(h))),y=(h,T)=>(...v)=>new Promise((U,C)=>{let k=M(v[T]?.signal,C),D=W=>W[h](
...v);l().finally(k).then(D).then(U,C)}),O={get url(){return e.url},get type(){return m.type},[Symbol.asyncIterator]:()=>O.
read()[Symbol.asyncIterator](),read:(h={})=>Pr(m,h),async all(h){let T=[];for await(let{data:v}of O.read({...h,live:!1}))
T.push(v);return T},append:y("append",1),producer:h=>Er(T=>l().then(v=>v.producer(T)),h),create:y("create",0),head:y("he\
ad",0),close:y("close"),fail:y("fail"),fork:y("fork",2),delete:y("delete",0),...e.live??{signal:Dt,signals:Dt,presence:Dt},
sink:()=>m};return O}function kr(e,t={}){let{environment:r=at,parts:n=Ct}=t;return Tr(_e(e,{...Zt(t,r),problem:vr(n)},n),
t)}export{kr as stream};
