// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited.
var Dr=Object.defineProperty;var S=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var ot=(e,t)=>{for(var r in t)Dr(e,r,{get:t[r],enumerable:!0})};function $t(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var O,Fr,
It,ee,Re,qe,jt,q=S(()=>{"use strict";O=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=Fr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},Fr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
It=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),ee=(e,t,r)=>e instanceof O?e:new O(t,`${r}: ${e}`,{cause:e});Re=(e,t)=>new O(
"stopped",e,t?{cause:t}:{}),qe=(e,t)=>new O("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),jt=()=>qe("the\
 server forgot this producer")});function j(e,t){let r=()=>{let n=e?.reason;t(n instanceof O?n:Re("aborted",n))};return e?.addEventListener("abort",r),e?.
aborted&&r(),()=>e?.removeEventListener("abort",r)}var me=S(()=>{"use strict";q()});function te(e,t,r,n,o,s){let a=[];return new Promise(d=>{let l,w=p=>{l=e.now()+p,a.push(e.timer(p,d,"pause")),o?.(l)};w(
r);let g=p=>{o?.(l,p),!(s||!/^(on|v|r)/.test(p))&&w(Math.max(p==="online"?e.random()*500:0,t.woken()))};a.push(j(n,()=>d()),
e.watch(g))}).finally(()=>{for(let d of a)d()})}var Ae=S(()=>{"use strict";me()});function Fe(e){return{base:1e3,cap:3e4,attempts:e===!1?0:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0,...e}}function re({
base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],l=!1,w,g=0,p,u=()=>{let f=s()-6e4;d=d.filter(b=>b>
f);let v=12-d.length;return 2*v<12?(d[0]-f)/Math.max(1,v+1):0},y={count:0,begin:()=>{d.push(s())},progress(){d=[],l=!0,y.
count=0},woken:()=>(y.count=g=0,u()),end({up:f=0,heard:v,planned:b,hint:P,personal:C}){let k=s(),W=l||f>=r&&v;W&&(y.count=
g=0,p=k);let E=k-(p??=k),D=1e3-f;return(!b||!W)&&(w=g===1?1-w:a(),D=w*Math.min(b?r:t,2*(e+E),e*2**g++),l||y.count++),l=!1,
D=Math.max(D,u(),(P||0)*(C?1:1+.3*a())),y.count>n||D+E>o?null:D}};return y}var ie=S(()=>{"use strict"});var Le,it=S(()=>{"use strict";Le=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function dt(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var J,Ne,de=S(()=>{"use st\
rict";V();J=async e=>typeof e=="function"?B(async()=>e()):e;Ne=(e,t,r)=>Object.assign(dt(e,r),{offset:t})});async function Mt(e,t,r,n){let o=re(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
O)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let l=o.end({hint:d.retryAfter});if(l===null)throw d;await te(
e,o,l,r,void 0,d.retryAfter!==void 0)}}var Kt=S(()=>{"use strict";q();Ae();ie()});var Ie,F,fe,ce,ct,_t,Gt,M=S(()=>{"use strict";Ie="application/json",F=(e=Ie)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",fe=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),ce=e=>new TextEncoder().
encode(e),ct=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),_t=e=>ct().decode(e),Gt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):ce(e)});function zt(e,t){let r=F(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return ce(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new O("bad-record",`${typeof e} i\
s no record of ${t}`)}function $e(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function je(e,t){return F(t)!=="json"?$e(e):$e([...e.flatMap((r,n)=>[ce(n?",":"["),r]),ce("]")])}var lt,
Me=S(()=>{"use strict";q();M();lt=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function Qt({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:l,linger:w=5,batchBytes:g=1<<20,bufferBytes:p=8<<20,
claim:u,create:y,idempotent:f=!0}=d,v=f?d.inFlight??5:1,{epoch:b=0}=d;if(!l||!(b>=0&&g>0&&v>0))throw new O("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let P=re(t,r),C=new AbortController,k=0,W,E,D=[],U=[],Y,
G=0,I="",L,X,Q=Promise.resolve(),K=!1,ve=!1,oe=!1,Z=-1/0,xe=[],Ce,pe=async i=>{for(;!i();)await new Promise(c=>xe.push(c))},
N=()=>{for(let i of xe.splice(0))i()},z=()=>pe(()=>{let i=G<p||L;return i||ae(),i}),se=async(i,c,h,A)=>{W??=await s();let R=await a(
i,W);if(await z(),L)throw L;let $={bytes:R,resolve:c,reject:h};Oe($),$.ignore=j(A,_=>{let ke=E?.entries.indexOf($)??-1;E&&
ke>=0?(E.entries.splice(ke,1),E.size-=R.length,G-=R.length,h(_)):h(Re("signal aborted; the record may arrive",A?.reason))})},
Oe=i=>{let{bytes:c}=i,h=c?.length??0;return lt(W)&&!D.at(-1)?.close&&(E??=D.pop()),E&&c&&(!lt(W)||E.size+h>g)&&ae(),E??=
{entries:[],size:0,seq:0,bad:0},E.entries.push(i),E.size+=h,G+=h,Y??=r.timer(w,ae),E},ae=()=>{Y?.(),Y=void 0,E?.entries.
length&&D.push(E),E=void 0,Pe()},nt=async(i,c)=>{if(await Q,L)throw L;W??=await s();let h=()=>{};return c!==void 0&&Oe({
bytes:await a(c,W),resolve:h,reject:h}),new Promise((A,R)=>{Oe({resolve:A,reject:R}).close=i,ae()})},Ee=(i,c)=>(X??=nt(i,
c),X.catch(()=>X=void 0),X),Pe=()=>{K&&!U.length&&(K=!1,b+=1,k=0);let i=()=>U.some(c=>!c.seq)||(D[0]?.close||oe)&&U.length;
for(;!K&&D.length&&U.length<v&&!i();){let c=D.shift();c.seq=k++,c.lost=!1,U.push(c),We(c)}},We=async i=>{let c=Jt(i),h={
body:c.length?je(c,W):void 0,type:W,producer:f?[l,b,i.seq]:void 0,create:y?{}:void 0,...i.close};for(i.write=h;i.write===
h;){let A=U[0].seq;(!e.live||i.seq===A)&&P.begin();try{let{offset:R}=await o.write(h,C.signal);if(i.write!==h)return;P.progress(),
oe=!1,R>I&&(I=R),H(i,R);return}catch(R){if(i.write!==h||!await ue(i,R,A))return}}},ue=async(i,c,h)=>{let{code:A,facts:R,
message:$,retryable:_,retryAfter:ke,status:qt}=c;if(_&&!f&&qt===void 0)return Be(i,qe($,c));if(_&&!(A==="bad-answer"&&++i.
bad>=3)){let Te=r.now();if(i.lost=!0,oe=!e.live,Te>=Z){let Ft=P.end({hint:ke});if(Ft===null)return x(qe($,c));Z=Te+Ft}return await te(
r,P,Z-Te,C.signal,void 0,ke!==void 0),Z=Math.min(Z,r.now()),await pe(()=>!oe||!i.write||i===U[0]),!0}return A==="produce\
r-gap"?He(i,Number(R.expected??R.expected_seq),h):A==="producer-fenced"&&u?De(Number(R.epoch??b)+1):qt===404&&y&&!ve?(ve=
!0,o.create({"content-type":W},void 0,C.signal).then(()=>!0,Te=>ue(i,Te,h))):Be(i,c)},He=async(i,c,h)=>{if(c>i.seq)return H(
i,I);if(c<h||h===i.seq)return De(b+1);let A=U.find(R=>R.seq<i.seq);return await pe(()=>!A||!U.includes(A)),!0},De=i=>{b=
i,k=0;for(let c of U)c.lost&&m(c,jt());Ue(U.filter(c=>c.write)),U=[],Pe(),N()},Ue=i=>{for(let c of i)c.write=void 0;D.unshift(
...i)},Be=(i,c)=>{if(Nr.test(c.code))return x(c);let h=U.filter(A=>A.seq>i.seq);U=U.filter(A=>A.seq<=i.seq),Ue(h),K=!0,H(
i,c)},H=(i,c)=>{U=U.filter(h=>h!==i),m(i,c),Pe(),N()},m=(i,c)=>{i.write=void 0,G-=i.size;for(let{resolve:h,reject:A,ignore:R}of i.
entries)R?.(),typeof c=="string"?h(c):A(c)},x=i=>{L??=i,Y?.(),Ce?.();let c=[...U,...D,...E?[E]:[]];U=[],D=[],E=void 0,C.
abort(i);for(let h of c)m(h,i);N()},T={id:l,get pending(){return[...U,...D,...E?[E]:[]].flatMap(Jt).length},append(i,{signal:c}={}){
return X?Promise.reject(new O("stream-closed","this producer has closed the stream")):new Promise((h,A)=>{Q=Q.then(()=>se(
i,h,A,c)).catch(A)})},async write(i){if(L)throw L;T.append(i).catch(c=>L??=c),await Q,await z()},async flush(){if(await Q,
ae(),await pe(()=>!E&&!D.length&&!U.length),L)throw L;return I},close:i=>Ee({close:!0},i),fail:(i,c,h)=>Ee({close:!0,fail:{
code:i,message:c}},h),async[Symbol.asyncDispose](){await T.flush().finally(()=>x(Re("the producer was disposed of")))}};
return Ce=j(n,x),T}var Nr,Jt,Vt=S(()=>{"use strict";q();Ae();Me();ie();me();Nr=/^(producer-fenced|stream-closed|stream-gone)$/,
Jt=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Yt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new O(pt(n)??Ir[e]??(e<500?"bad-answer":"\
internal"),pt(o??s??a)??`the server answered ${e}`,{status:e,retryable:It(e),offset:pt(d),facts:t,...r})}async function Xt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of $r)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Yt(t,s,{retryAfter:$t(r.get("retry-after"))})}function ye({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new O(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Zt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new O("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function er(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
O?s:Yt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new O(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Ir,pt,$r,we,ge=S(()=>{"use strict";q();Ir={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},pt=e=>typeof e=="string"?e:void 0;$r=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];we=(e,t="bad-answer")=>ee(e,t,
"the answer cannot be read")});function he(e){return new URL(e,globalThis.location?.href)}function ut(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function Ke(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function tr(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:l},w)=>{let g=new Headers(
typeof r=="function"?await r():r);ut(g,d);let{credentials:p}=e;return(e.fetch??fetch)(a,{method:s,headers:g,body:l,credentials:p,
signal:w,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,l=u=>a.abort(u),w=[e.signal,s.signal].map(
u=>j(u,l)),g=t.timer(s.limit,()=>l(new O("connect-timeout",`nothing came in ${s.limit} ms`))),p=()=>{g();for(let u of w)
u();a.abort()};try{let u=await new Promise((y,f)=>{j(d,f),n(s,d).then(y,f)});return u.ok&&g(),{response:u,signal:d,abort:l,
release:p}}catch(u){let y=mt(d,u);throw p(),y}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var mt,ne=S(()=>{"use strict";q();me();mt=(e,t)=>ee(e.reason??t,"networ\
k","no answer")});function yt(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function wt(e,t){let r=e.get("stream-next-offset")??t,n=yt(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function rr(e,t,r){if(t.status===204)return wt(t.headers,r);throw ye(t,e)}var _e=S(()=>{
"use strict";ge()});function nr(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:yt(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function or(e,t,r){
let n=async(o,s,a,d)=>{let l=Fe(e.options.retry).connect+(d?jr:0),{response:w,release:g}=await Ke(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:l});if(g(),w.status!==204&&!w.headers.has("stream-next-offset"))throw ye(w,"what a stream's server\
 says");return w};return{async write({body:o,type:s,producer:a,close:d,fail:l,create:w},g){let[p,u,y]=a??[],f={...w,"str\
eam-create":w&&!0,"content-type":o||w?s:void 0,"producer-id":p,"producer-epoch":u,"producer-seq":y,"stream-closed":d||void 0,
"stream-failure":l?.code,"stream-failure-message":l?.message?encodeURIComponent(l.message):void 0};return{offset:(await n(
"POST",g,f,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>nr((await n("PUT",a,o,s)).headers),async head(o){
try{return nr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>Ge(new URL(o,t()),e,r)}}var jr,sr=S(()=>{"use strict";gt();ge();ne();ie();_e();jr=6e4});var ar={};ot(ar,{httpWrites:()=>or,writerOf:()=>Mr});function Mr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(u,y)=>Mt(
r,o,u??s,y),l=async()=>e.type??(await p.head())?.type??Ie,w=async(u,y)=>{if(!e.codec)return zt(u,y);let{encode:f}=await d(
void 0,()=>J(e.codec)),{framed:v}=await d(void 0,()=>B(n.frames));try{return v(f(u),y)}catch(b){throw ee(b,"bad-record",
`it is no record of ${y}`)}},g=(u=!1)=>a??=p.producer({id:Le(),linger:0,create:u}),p={append:(u,y={})=>g(y.create).append(
u,y),producer:u=>Qt(e,t,l,w,u),async create({type:u=e.type??Ie,ttl:y,expiresAt:f,retention:v,slow:b,closed:P,records:C=[],
signal:k}={}){let W={"content-type":u,"stream-ttl":y,"stream-expires-at":f instanceof Date?f.toISOString():f,"stream-ret\
ention":v,"stream-slow":b,"stream-closed":P||void 0},E=await Promise.all(C.map(U=>w(U,u))),D=await d(k,()=>t.create(W,E.
length?je(E,u):void 0,k));return e.type=u,e.created=r.now(),{...D,type:D.type||u}},async head({signal:u}={}){let y=await d(
u,()=>t.head(u));return e.type=y?.type||e.type,y},close:u=>g().close(u),fail:(u,y,f)=>g().fail(u,y,f),async fork(u,y,{signal:f}={}){
let v=t.sibling(u),b=await v.writes(),P=new URL(t.sibling("").url).pathname;return await d(f,()=>b.create({"stream-forke\
d-from":P,"stream-fork-offset":y},void 0,f)),e.another(v)},async delete({signal:u}={}){await d(u,async y=>{try{await t.delete(
u)}catch(f){if(!y||f.code!=="stream-not-found")throw f}})}};return p}var ir=S(()=>{"use strict";it();de();q();Kt();Vt();
Me();V();M();sr()});function ze(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Kr)){if(a==='"'&&(n=!n),n)continue;let l=a==="["||a==="{";l?o+=1:(a==="]"||a==="}")&&(o-=1),l&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Kr,
ht=S(()=>{"use strict";Kr=/\\.|["[\]{},]/gs});function bt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function Je(){let e=ct(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,bt(r),s}}var vt=S(()=>{"use strict";M()});function Qe(e="",t){let r=Je(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),l=d<0?a:a.slice(0,d),w=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),g=n??{event:"",data:null,id:e};if(l==="\
data")g.data=g.data===null?w:`${g.data}
${w}`;else if(l==="event")g.event=w;else if(l==="id"&&!w.includes("\0"))e=w;else if(!t?.(l,w,g))continue;n=g,bt(n.data??
"")}return s}}var xt=S(()=>{"use strict";vt()});async function Ve(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await B(t.frames);return n=>r(
n,e)}function Ye(e,t,r){if(!e.length)return[];try{return t(e).map(n=>dt(n,r))}catch(n){throw we(n,"truncated")}}var Ot=S(
()=>{"use strict";de();V();ge()});function be(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Xe=S(()=>{"use strict"});function Ze({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let l=e.body?.getReader(),w=Number(e.headers.get("str\
eam-heartbeat"))*1e3,g=s||2.5*w||d,p=1/0,u=!0,y=()=>o.now()-p,f=()=>r(new O("silent",`nothing came in ${y()} ms`,{facts:{
first:u}})),v=o.watch(b=>{b==="freeze"?r(new O("network",b)):b!=="hidden"&&b!=="offline"&&y()>g*1.2/2.5&&f()});return t.
addEventListener("abort",()=>{l?.cancel().catch(()=>{})}),{async read(){let b=u&&a||g;p=o.now();let P=o.timer(b,()=>{y()<
b+1e3?f():P=o.timer(3e3,f)});try{let C=await l?.read();return u=!1,t.throwIfAborted(),C?.value}catch(C){throw mt(t,C)}finally{
p=1/0,P()}},release(){v(),n()}}}var Et=S(()=>{"use strict";q();ne()});function zr(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return ut(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Pt(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),Ke(e,{url:zr(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*Jr(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:l,accept:w}=r,g=await Pt(e,t,n,l,w),{response:p}=g,{headers:u}=p,y=Ze(g,o,s.silence,a);
try{if(p.status===204||!u.get("content-type")?.startsWith(w))return yield(await B(d.rest)).inPlaceOf(w,p,n.from);yield{kind:"\
open"};let f=await r.parser(p,n),v=r.tailless;for(;;){let b=y.read();v&&await Qr(b,o)&&(v=!1,yield{kind:"quiet"});let P=await b;
if(!P)break;let C=[];try{f(P,C)}catch(k){throw(await B(d.rest)).unreadable(k)}C.length||(yield{kind:"beat"}),yield*C}throw new O(
"truncated","it was cut")}finally{y.release()}}function et(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.records.
push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function tt(e,t){let r=e.at(-1);r?.kind===
"records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var le,Qr,Se=S(()=>{"use strict";Et();q();V();ne();le=e=>(t,r)=>({
name:e.name,open:n=>Jr(t,r,e,n)});Qr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.then(o,o)})});async function*Yr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Vr,dr,fr=S(()=>{"use strict";de();ht();M();xt();Ot();
Xe();Se();Vr=le({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=Qe(),s=e.get("stream-sse-data-encoding")==="base64",a=await J(n),d=s?await Ve(r??"",t):void 0,l=[],
w=p=>d?Ye(fe(p),d,a):(r?F(r)==="json":p.startsWith("["))?ze(p):p?[{raw:p}]:[],g=(p,u)=>{let{streamNextOffset:y,streamClosed:f,
streamFailure:v,streamError:b,streamDetached:P,streamGap:C}=p,k=p.upToDate===!0&&!f,W=(E,D)=>{D&&u.push(be(E,D,y))};W("s\
tream-gap",C),l.length?u.push({kind:"records",records:l,offset:y,upToDate:k}):C||W(k?"up-to-date":"beat",{}),l=[],v?W("s\
tream-failed",v):f?W("stream-closed",{}):b?W("stream-error",b):W("stream-detached",P)};return(p,u)=>{for(let{event:y,data:f}of o(
p))f!==null&&(y==="data"?l.push(...w(f)):y==="control"&&g(JSON.parse(f),u))}}});dr=(...e)=>{let{name:t,open:r}=Vr(...e);
return{name:t,open:n=>Yr(r(n))}}});function kt(e=Xr){let t=Qe();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&tt(n,a):o.startsWith("stream-")?
n.push(be(o,JSON.parse(s),a)):et(n,e(s,a))}}var Xr,cr,Tt=S(()=>{"use strict";V();M();xt();Xe();Se();Xr=(e,t)=>({raw:e,offset:t});
cr=le({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return kt(o||F(t)!=="json"?await(await B(r.rest)).quoted(o,n):void 0)}})});function tn(e,t){let r=Zr.exec(e);return r&&Object.keys(t).every(n=>en.test(n))?e.trimEnd().slice(r[0].length,-1):JSON.stringify(
t.data)}async function lr({type:e,codec:t}){let r=await J(t),n=F(e)==="json";return(o,s=JSON.parse(o))=>{let{offset:a,data:d,
base64:l,at:w,by:g}=s,p=w===void 0?{offset:a}:{offset:a,known:{at:w,by:g}};return l!==void 0?Object.assign(Ne(fe(l),a,r),
p):n?{raw:tn(o,s),value:d,...p}:{raw:String(d),...p}}}async function nn(e){let t=await lr(e);return r=>t(r)}var Zr,en,rn,
pr,ur,mr=S(()=>{"use strict";de();vt();M();Xe();Se();Tt();Zr=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,
en=/^(offset|at|by|data)$/;rn=e=>le({name:"ndjson",accept:"application/x-ndjson",query:e,async parser(t,r){let n=await lr(
r),o=Je();return(s,a)=>{for(let d of o(s)){if(!d.trim())continue;let l=JSON.parse(d),{offset:w,control:g}=l;g==="up-to-d\
ate"?tt(a,w):g?a.push(be(`stream-${g}`,l,w)):et(a,n(d,l))}}}}),pr=le({name:"sse",accept:"text/event-stream",query:{envelope:1},
tailless:!0,parser:async(e,t)=>kt(await nn(t))});ur=(e,t)=>({name:"ndjson",open:r=>rn(r.envelope?{envelope:1}:{})(e,t).open(
r)})});async function sn(e,{environment:t,retry:r}){let n=Ze(e,t,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return $e(o)}finally{n.release()}}function an({headers:e,type:t,url:r},{length:n},o){let s=n<Number(e.get("con\
tent-length"))&&!e.has("content-encoding"),a=r+n;if(!(!s||t==="cors"&&yr.get(o)===a))throw yr.set(o,a),new O("truncated",
"it was cut")}async function dn(e,t,r){let n=F(t);if(n==="bytes")return Ye(e,await Ve(t,r),await J(r.codec));let o=_t(e);
if(n==="text")return o?[{raw:o}]:[];try{return ze(o)}catch(s){throw we(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*fn(e,t,r){
let{live:n,missing:o}=r,{from:s,last:a}=r,d,l=s==="now";for(;;){let w=n&&(l||o==="wait"),g={...r,from:s,last:a,...w?{}:{
slow:void 0,missing:void 0}},p=await Pt(e,t,g,{live:w?"long-poll":void 0,cursor:d},void 0,w?on:0),{response:u}=p,{headers:y,
status:f}=u,v=y.get("stream-next-offset");if(v===null)throw p.release(),ye(u,"a page of a stream");let b=await sn(p,r);f!==
204&&an(u,b,e);let P=y.get("content-type")??r.type??"",C=f===204?[]:await dn(b,P,r),k=y.get("stream-up-to-date")==="true"||
f===204,W=k&&y.get("stream-closed")==="true",E=k&&!W;if(yield{kind:"open",type:P},C.length?yield{kind:"records",records:C,
offset:v,upToDate:E}:yield E?{kind:"up-to-date",offset:v}:{kind:"beat"},W&&(yield wt(y,v)),l&&(!C.length||v===s))break;l=
k,s=v,a=void 0,d=y.get("stream-cursor")??void 0}yield{kind:"stream-detached"}}var on,yr,wr,gr=S(()=>{"use strict";Et();de();
q();Me();ht();M();ge();Ot();_e();Se();on=6e4;yr=new WeakMap;wr=(e,t)=>({name:"long-poll",open:r=>fn(e,t,r)})});async function hr(e,t){let r=await J(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?fe(s.base64):e?fe(s):s};return(o,s)=>Ne(
n(o),s,r)}var br=S(()=>{"use strict";de();M()});var Rt,At,rt,St=S(()=>{"use strict";ne();Rt=new Map,At=e=>`headwater:transport:${he(e.url).origin}`,rt=e=>{let t=At(e);try{
return Rt.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function vr(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,l=0,w=0,g=()=>a+1>=n.length,p=(f,v)=>{a=f,d=v,l=w=0},u=()=>{
let f=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===f[0]?!1:(n=e.transports(f,void 0,r),p(0,d),!0)},y=s?rt(
e):0;return y>o&&p(n.length-1,y),{current(f){return d&&f>=d&&p(0,0),[n[a],!g()]},settle:()=>p(a,d),async after({code:f,facts:v},b){
let P=f==="bad-answer";return l=P?l+1:0,w=f==="truncated"?w+1:0,P&&v.protocol&&s&&u()?!0:g()?l<3:(((f==="silent"?v.first:
f==="connect-timeout"&&t.length===1&&await mn(e))||l>=3||w>=ln)&&(p(n.length-1,b+cn),s&&un(At(e),d)),!0)}}}function un(e,t){
Rt.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var cn,ln,pn,mn,xr=S(()=>{"use strict";ne();St();cn=30*6e4,ln=
3,pn=1e3;mn=async({requester:e,url:t})=>e?.send({url:he(t).href,method:"HEAD",limit:pn}).then(({release:r})=>(r(),!0),()=>!1)});var Or={};ot(Or,{badRecord:()=>Zt,choiceOf:()=>vr,inPlaceOf:()=>rr,problemOf:()=>Xt,quoted:()=>hr,told:()=>er,transportOf:()=>wn,
unreadable:()=>we});function wn(e){let t=yn[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new O("unsupported",`the transport ${e} is not in the core; ${r}`)}var yn,
Er=S(()=>{"use strict";q();fr();mr();gr();ge();_e();br();xr();yn={sse:pr,ndjson:ur,"long-poll":wr,"live-sse":dr}});var Pr={};ot(Pr,{framed:()=>hn,isDelimited:()=>Wt,isMsgpack:()=>Ct,split:()=>gn});function gn(e,t){if(!Ct(t)&&!Wt(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=Ct(t)?[n,xn(e,n)]:bn(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function hn(e,t){if(!Wt(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function bn(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function xn(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=vn[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var Ct,Wt,vn,kr=S(()=>{"use strict";Ct=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),Wt=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);vn=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});function Tr(e,t,r,n){let o,s=async()=>{let a=re(t,e);for(;;){a.begin();try{return await n()}catch(d){let l=r?.aborted?null:
a.end({});if(l===null)throw o=void 0,r?.aborted?ee(r.reason,"stopped","aborted"):d;await te(e,a,l,r)}}};return()=>o??=s()}
var Ht,B,Rr,V=S(()=>{"use strict";q();Ae();ie();Ht={writing:()=>Promise.resolve().then(()=>(ir(),ar)),rest:()=>Promise.resolve().then(()=>(Er(),Or)),
frames:()=>Promise.resolve().then(()=>(kr(),Pr))},B=async(e,t)=>{try{return await e()}catch(r){throw new O("network",`im\
port(): ${r}`,{cause:r,retryAfter:t})}};Rr=({rest:e})=>async t=>{let{problemOf:r}=await B(e,1e3*Number(t.headers.get("re\
try-after"))||0);return r(t)}});function Ge(e,t,r){let n=()=>he(e).href,o=s=>({name:s,async*open(a){yield*(await B(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d,l){let w=[F(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(p=>p==="auto"?
w:p).map(p=>typeof p=="function"?p(t,n()):p!=="sse"?o(p):d?l?o(p):cr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await B(
r.writing)).httpWrites(t,n,r)}}var gt=S(()=>{"use strict";V();M();ne();Tt()});var st=globalThis;function Ur(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Nt=()=>st.document?.visibilityState==="hidden",Br=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function qr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Nt()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Br.forEach(o=>st[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var at={now:()=>Date.now(),timer:Ur,random:Math.random,online:()=>st.navigator?.
onLine!==!1,hidden:Nt,watch:qr};q();gt();V();it();function Ar(e,t={}){let{id:r=Le()}=t,n,o=0,s=e({...t,id:r});s.then(l=>n=l,()=>{});let a=(l,w=0)=>(...g)=>(o+=w,s.then(
p=>p[l](...g))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async l=>{
await d.fail("aborted",l&&String(l))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}q();function Sr(){let e={};return{all:e,emit(t,r){for(let n of e[t]??[])n(r)},on(t,r){let n=e[t]??=new Set;return n.add(r),()=>n.
delete(r)}}}V();Ae();M();ie();me();St();var Dt=e=>!/^(start|now|-1)$/.test(e);function Cr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:l,transport:w=e.transport}=t,g=[].concat(w),p=re(n,o),{emit:u,on:y}=Sr(),f=t.from??"\
start",v,b,P=new AbortController,C,k,W,E,D=l,U=!1,Y=!1,G=[],I=0,L,X,Q,K,ve=Promise.resolve(),oe=()=>new Promise(m=>W=m);
async function*Z(m,x){try{for(;;){let T=ve.then(()=>Ce(m));ve=T.catch(()=>{});let i=await T;if(!i)return;for(let c of x(
i))yield c}}finally{await se()}}let xe=m=>{let x=H[Symbol.asyncIterator]();return new ReadableStream({async pull(T){let i=await x.
next();i.done?T.close():T.enqueue(m(i.value))},cancel:()=>se()},{highWaterMark:0})},Ce=async m=>{K!==void 0&&k?.kind!=="\
stopped"&&(H.offset=K,K=void 0,await l?.save(H.offset));let x=!1,T;if(!G[I]){let c=await pe();if(!c)return;L=H.offset,{records:G,
offset:X,upToDate:x,gap:T}=c,I=0,Q=F(e.type)}let i=[];for(let c=G[I];c&&i.length<m;c=G[I]){let{raw:h,offset:A=G[I+1]?L:X}=c;
try{let R=e.decode(h,typeof h=="string"?Q:"bytes",c);i.push({data:R instanceof Promise?await R:R,offset:A,raw:h,...c.known}),
K=A,I+=1}catch(R){if(i.length){x=!1;break}I+=1;let $=await B(e.parts.rest).then(({badRecord:_})=>_(R,h,A),_=>_);throw await se(
"error",$),$}}return K??=f,{records:i,offset:K,upToDate:x,gap:T}},pe=async()=>{let m=k?void 0:(await(C??=Oe()).next()).value;
if(!m&&k?.error)throw k.error;return m},N=m=>{m!==H.state&&u("state",H.state=m)},z=(m,x,T,i)=>{k||(k={kind:m,offset:x,...T&&
{code:T.code,error:T},...i},H.lastError=T??H.lastError,H.transport=null,N("ended"),W(k))},se=async(m="stopped",x)=>{if(k)
return;z(m,H.offset,x),P.abort();let T=C;C=void 0,await T?.return()};async function*Oe(){let m=[e.signal,t.signal].map(x=>j(
x,H.close));try{let x=await D?.load();for(D=void 0,x&&(f=H.offset=x);!k;)yield*ae()}finally{for(let x of m)x()}}async function*ae(){
let m=f,x,T=!1,i={};P=new AbortController,Y=!1,E&&(yield E),E=void 0;try{N("connecting");for await(let h of await nt()){
h.kind==="open"?x=o.now():h.kind!=="quiet"&&(T=!0);let R=(h.kind==="stream-error"||h.kind==="stream-failed")&&(await B(e.
parts.rest)).told(h);if(h.kind==="stream-error")throw R;if(h.kind==="stream-detached"){let _=Number(h.retry_after)*1e3;i=
{hint:_,personal:!0,planned:!_};break}let $=k?void 0:De(h);if(R&&z("failed",f,R,R.facts),$&&(yield $),U&&z("up-to-date",
f),k)break}}catch(h){if(!(h instanceof O))throw h;k||(i=await Ue(h,x,m))}finally{P.abort(),H.transport=null}let c=o.now();
k||await Be(Y?p.woken():p.end({up:c-(x??c),heard:T,...i}))}let nt=async()=>{let m=o.now();v??=r.transports(g,e.type,s,t.
envelope),!b&&v[1]&&rt(r)>m&&await Ee();let[x,T]=b?.current(m)??v;return H.transport=x.name,x.open({...e,...t,live:s,from:f,
last:Dt(f)?void 0:t.last,first:T?3e3:void 0,signal:P.signal,sent:p.begin})},Ee=async()=>b??=(await B(e.parts.rest)).choiceOf(
r,g,s,v,o.now()),Pe=async(m,x,T)=>{let{code:i}=m;return i!=="network"&&(i!=="truncated"||!T&&x<1e3)?Ee().then(c=>c.after(
m,o.now()),()=>!0):(b?.settle(),!0)},We=()=>{N("live"),U=!s},ue=(m,x=!1)=>({records:m,offset:f,upToDate:x}),He=m=>(u("ga\
p",m),{...ue([]),gap:m}),De=m=>{let{kind:x,type:T,offset:i}=m,c=Dt(f);e.type||=T;let h=R=>!c||(R.offset??i)>f,A=m.kind===
"records"?m.records.filter(h):[];switch(i&&i!==f&&!(c&&i<f)&&(f=i,(c||x!=="up-to-date")&&p.progress()),m.kind){case"open":case"\
stream-created":return N("catching-up");case"stream-waiting":return N("absent");case"records":return m.upToDate&&We(),A.
length?ue(A,m.upToDate):void 0;case"up-to-date":return We(),ue([],!0);case"stream-gap":return He({from:m.from,to:m.to,reason:m.
reason});case"stream-signal":case"stream-presence":return u("notice",{name:x.slice(7),data:m.data});case"stream-closed":
return z("closed",f);default:H.state==="catching-up"&&c&&N("live")}},Ue=async(m,x,T)=>{let i=o.now(),{code:c,retryAfter:h}=m,
A=c==="stream-not-found";if(H.lastError=m,c==="stopped")z("stopped",H.offset);else if(c==="offset-gone"&&a!=="throw"){let R=f;
f=a==="now"?a:String(m.facts.earliest??"start"),E=He({from:R,to:f,reason:"gone"})}else{if(c==="stream-awaited")return{planned:!0};
if(A&&d==="wait")N("absent");else{if(A&&i-e.created<1e4)return{hint:h};if(m.retryable&&await Pe(m,i-(x??i),f!==T))u("err\
or",m);else{let R=x!==void 0||Dt(f);z((A||c==="stream-gone")&&R?"deleted":"error",H.offset,m)}}}return{hint:h}},Be=async m=>{
if(m===null){z("error",H.offset,H.lastError??new O("truncated","it was cut"));return}let x=!o.online(),T=m;o.hidden()&&p.
count&&(T=Math.max(T,o.random()*n.cap)),x&&(T=Math.max(T,n.cap)),H.state!=="absent"&&T&&N(x?"offline":"waiting"),P=new AbortController,
await te(o,p,T,P.signal,(i,c)=>{H.retryAt=i,c==="offline"&&N(c)}),H.retryAt=null},H={state:"idle",offset:f,transport:null,
get attempt(){return p.count},retryAt:null,lastError:null,end:oe(),on:y,[Symbol.asyncIterator]:()=>Z(1,({records:m})=>m),
batches:()=>Z(1/0,m=>[m]),readable:()=>xe(({data:m})=>m),bytes:()=>xe(({raw:m})=>typeof m=="string"?ce(Q==="json"?`${m}
`:m):m),skip(){k?.code==="bad-record"&&(k=void 0,H.end=oe(),N("idle"))},reconnect(){p.woken(),Y=!0,P.abort(new O("networ\
k","reconnect"))},close:()=>{se()},[Symbol.asyncDispose]:()=>se()};return H}M();ne();ie();function Ut(e){if(e instanceof Promise)return e.then(Ut);if(e.issues)throw e;return e.value}me();var Bt=()=>{throw new O("unsupported","needs headwater/connection")};function Wr(e,t,r=-1/0){let{environment:n=at,decode:o,
schema:s,transport:a="auto",signal:d,parts:l=Ht}=t,w=Fe(t.retry),g={...t,door:e,retry:w,environment:n,transport:a,parts:l,
created:r,another:f=>Wr(f,t,n.now()),decode:(f,v,b)=>{let P=o?o(f):"value"in b?b.value:Gt(f,v);return s?Ut(s["~standard"].
validate(P)):P}},p=Tr(n,w,d,async()=>(await B(l.writing)).writerOf(g,await e.writes())),u=(f,v)=>(...b)=>new Promise((P,C)=>{
let k=j(b[v]?.signal,C),W=E=>E[f](...b);p().finally(k).then(W).then(P,C)}),y={get url(){return e.url},get type(){return g.
type},[Symbol.asyncIterator]:()=>y.read()[Symbol.asyncIterator](),read:(f={})=>Cr(g,f),async all(f){let v=[];for await(let{
data:b}of y.read({...f,live:!1}))v.push(b);return v},append:u("append",1),producer:f=>Ar(v=>p().then(b=>b.producer(v)),f),
create:u("create",0),head:u("head",0),close:u("close"),fail:u("fail"),fork:u("fork",2),delete:u("delete",0),...e.live??{
signal:Bt,signals:Bt,presence:Bt},sink:()=>g};return y}function Hr(e,t={}){let{environment:r=at,parts:n=Ht}=t;return Wr(
Ge(e,{...tr(t,r),problem:Rr(n)},n),t)}export{Hr as stream};
