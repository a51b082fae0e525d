// The client for TypeScript in one file. Made by `node scripts/bundles.ts` in clients/typescript; not to be edited.
var mr=Object.defineProperty;var S=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var Pt=(e,t)=>{for(var r in t)mr(e,r,{get:t[r],enumerable:!0})};function St(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var k,hr,
se,Oe,Be,At,I=S(()=>{"use strict";k=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=hr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},hr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
se=(e,t,r)=>e instanceof k?e:new k(t,`${r}: ${e}`,{cause:e});Oe=(e,t)=>new k("stopped",e,t?{cause:t}:{}),Be=(e,t)=>new k(
"unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),At=()=>Be("the server forgot this producer")});var qe,tt=S(()=>{"use strict";qe=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function N(e,t){let r=()=>{let n=e?.reason;t(n instanceof k?n:Oe("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var ae=S(()=>{"use strict";I()});function X(e,t,r,n,o,s){let i=[];return new Promise(d=>{let u,y=l=>{u=e.now()+l,i.push(e.timer(l,d,"pause")),o?.(u)};y(r);
let c=l=>{o?.(u,l),!(s||!/^(online|visible|resume)$/.test(l))&&(t.count=0,y(Math.max(l==="online"?e.random()*500:0,t.held())))};
i.push(N(n,()=>d()),e.watch(c))}).finally(()=>{for(let d of i)d()})}var Te=S(()=>{"use strict";ae()});function Fe(e){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...e===!1?{attempts:0}:
e}}function Z({base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:i}){let d=[],u=!1,y,c=-1/0,l={count:0,begin(){
d=[...d.slice(-11),s()],y??=s(),u=!1},progress(){y=s(),l.count=0,u=!0,d=[]},held:()=>d.length<12?0:Math.max(0,d[0]+6e4-s()),
end({up:x=0,heard:w,planned:h,hint:T,personal:g}){let P=s(),b=x>=r&&w;b&&(l.count=0,y=P);let A=P-(y??P),O;return h&&(u||
b)?O=Math.max(0,c+1e3-P):u?O=i()*e:O=i()*Math.min(h?r:t,4*e+2*A,e*2**l.count++),h&&(c=P+O),T&&(O=Math.max(O,T*(g?1:1+.3*
i()))),O=Math.max(O,l.held()),l.count>n||O+A>o?null:O}};return l}var ie=S(()=>{"use strict"});async function Ct(e,t,r,n){let o=Z(t,e),s=0;for(let i=!1;;i=!0)try{return o.begin(),await n(i)}catch(d){if(!(d instanceof
k)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let u=o.end({hint:d.retryAfter});if(u===null)throw d;await X(
e,o,u,r,void 0,d.retryAfter!==void 0)}}var Wt=S(()=>{"use strict";I();Te();ie()});var Ie,B,re,ne,nt,Ht,Dt,$=S(()=>{"use strict";Ie="application/json",B=(e=Ie)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",re=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),ne=e=>new TextEncoder().
encode(e),nt=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),Ht=e=>nt().decode(e),Dt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):ne(e)});function Pe(e,t){let r=B(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return ne(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new k("bad-record",`${typeof e} i\
s no record of ${t}`)}function Ue(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function Le(e,t){return B(t)!=="json"?Ue(e):Ue([...e.flatMap((r,n)=>[ne(n?",":"["),r]),ne("]")])}var Bt,
Ne=S(()=>{"use strict";I();$();Bt=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function Ft({door:e,retry:t,environment:r,signal:n},o,s,i){let{id:d,linger:u=5,batchBytes:y=1<<20,bufferBytes:c=8<<20,claim:l,
create:x,idempotent:w=!0}=i,h=w?i.inFlight??5:1,{epoch:T=0}=i;if(!d||!(T>=0&&y>0&&h>0))throw new k("bad-request","a prod\
ucer has a name, an epoch from 0 on, and limits above 0");let g=Z(t,r),P=new AbortController,b=0,A,O,H=[],C=[],K,z=0,U="",
F,Y,J=Promise.resolve(),j=!1,pe=!1,V=-1/0,me=[],ye,we=async a=>{for(;!a();)await new Promise(f=>me.push(f))},ge=()=>{for(let a of me.
splice(0))a()},te=()=>we(()=>{let a=z<c||F;return a||G(),a}),L=async(a,f,m,v)=>{A??=await s();let E=Pe(a,A);if(await te(),
F)throw F;let D={bytes:E,resolve:f,reject:m};M(D),D.ignore=N(v,W=>{let _=O?.entries.indexOf(D)??-1;O&&_>=0?(O.entries.splice(
_,1),O.size-=E.length,z-=E.length,m(W)):m(Oe("the signal was aborted; the record may arrive",v?.reason))})},M=a=>{let{bytes:f}=a,
m=f?.length??0;return O&&f&&(!Bt(A)||O.size+m>y)&&G(),O??={entries:[],size:0,seq:0,bad:0},O.entries.push(a),O.size+=m,z+=
m,K??=r.timer(u,G),O},G=()=>{K?.(),K=void 0,O?.entries.length&&H.push(O),O=void 0,he()},Xe=async(a,f)=>{if(await J,F)throw F;
A??=await s();let m=()=>{};return f!==void 0&&M({bytes:Pe(f,A),resolve:m,reject:m}),new Promise((v,E)=>{M({resolve:v,reject:E}).
close=a,G()})},Ae=(a,f)=>(Y??=Xe(a,f),Y.catch(()=>Y=void 0),Y),he=()=>{j&&!C.length&&(j=!1,T+=1,b=0);let a=()=>C.some(f=>!f.
seq)||H[0]?.close&&C.length;for(;!j&&H.length&&C.length<h&&!a();){let f=H.shift();f.seq=b++,f.lost=!1,C.push(f),Ce(f)}},
Ce=async a=>{let f=qt(a),m={body:f.length?Le(f,A):void 0,type:A,producer:w?[d,T,a.seq]:void 0,create:x?{}:void 0,...a.close};
for(a.write=m;a.write===m;){let v=Math.min(...C.map(E=>E.seq));(!e.live||a.seq===v)&&g.begin();try{let{offset:E}=await o.
write(m,P.signal);if(a.write!==m)return;g.progress(),E>U&&(U=E),ve(a,E);return}catch(E){if(a.write!==m||!await We(a,E,v))
return}}},We=async(a,f,m)=>{let{code:v,facts:E,message:D,retryable:W,retryAfter:_,status:Q}=f;if(W&&!w&&Q===void 0)return De(
a,Be(D,f));if(W&&!(v==="bad-answer"&&++a.bad>=3)){let Ee=r.now();if(a.lost=!0,Ee>=V){let Tt=g.end({hint:_});if(Tt===null)
return R(Be(D,f));V=Ee+Tt}return await X(r,g,V-Ee,P.signal,void 0,_!==void 0),V=Math.min(V,r.now()),!0}return v==="produ\
cer-gap"?He(a,Number(E.expected??E.expected_seq),m):v==="producer-fenced"&&l?oe(Number(E.epoch??T)+1):Q===404&&x&&!pe?(pe=
!0,o.create({"content-type":A},void 0,P.signal).then(()=>!0,Ee=>We(a,Ee,m))):De(a,f)},He=async(a,f,m)=>{if(f>a.seq)return ve(
a,U);if(f<m||m===a.seq)return oe(T+1);let v=C.find(E=>E.seq<a.seq);return await we(()=>!v||!C.includes(v)),!0},oe=a=>{T=
a,b=0;for(let f of C)f.lost&&xe(f,At());be(C.filter(f=>f.write)),C=[],he(),ge()},be=a=>{for(let f of a)f.write=void 0;H.
unshift(...a)},De=(a,f)=>{if(vr.test(f.code))return R(f);let m=C.filter(v=>v.seq>a.seq);C=C.filter(v=>v.seq<=a.seq),be(m),
j=!0,ve(a,f)},ve=(a,f)=>{C=C.filter(m=>m!==a),xe(a,f),he(),ge()},xe=(a,f)=>{a.write=void 0,z-=a.size;for(let{resolve:m,reject:v,
ignore:E}of a.entries)E?.(),typeof f=="string"?m(f):v(f)},R=a=>{F??=a,K?.(),ye?.();let f=[...C,...H,...O?[O]:[]];C=[],H=
[],O=void 0,P.abort(a);for(let m of f)xe(m,a);ge()},p={id:d,get pending(){return[...C,...H,...O?[O]:[]].flatMap(qt).length},
append(a,{signal:f}={}){return Y?Promise.reject(new k("stream-closed","this producer has closed the stream")):new Promise(
(m,v)=>{J=J.then(()=>L(a,m,v,f)).catch(v)})},async write(a){if(F)throw F;p.append(a).catch(f=>F??=f),await J,await te()},
async flush(){if(await J,G(),await we(()=>!O&&!H.length&&!C.length),F)throw F;return U},close:a=>Ae({close:!0},a),fail:(a,f,m)=>Ae(
{close:!0,fail:{code:a,message:f}},m),async[Symbol.asyncDispose](){await p.flush().finally(()=>R(Oe("the producer was di\
sposed of")))}};return ye=N(n,R),p}var vr,qt,It=S(()=>{"use strict";I();Te();Ne();ie();ae();vr=/^(producer-fenced|stream-closed|stream-gone)$/,
qt=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Ut(e,t,r={}){let{code:n,detail:o,message:s,title:i,offset:d}=t;return new k(ot(n)??xr[e]??(e<500?"bad-answer":"\
internal"),ot(o??s??i)??`the server answered ${e}`,{status:e,retryable:Er(e),offset:ot(d),facts:t,...r})}async function Lt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let i=await e.
text().catch(()=>"");try{s={...JSON.parse(i)}}catch{i&&(s.detail=`${i.slice(0,200)}: ${o}`)}}for(let[i,d]of Or)s[d]??=r.
get(i)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Ut(t,s,{retryAfter:St(r.get("retry-after"))})}function de({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new k(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Nt(e,t,r){let{issues:n,message:o=n?.
map(i=>i.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new k("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function $t(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
k?s:Ut(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new k(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var xr,Er,ot,Or,$e,ke=S(()=>{"use strict";I();xr={400:"bad-request",401:"not\
-authorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},Er=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),ot=e=>typeof e=="string"?e:void 0;Or=[["stream-next-offset",
"next_offset"],["stream-earliest-offset","earliest"],["producer-epoch","epoch"],["producer-expected-seq","expected"],["s\
tream-closed","closed"]];$e=(e,t="bad-answer")=>se(e,t,"the answer cannot be read")});function fe(e){return new URL(e,globalThis.location?.href)}function st(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function je(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function jt(e,t){let{headers:r}=e,n=async({method:s="GET",url:i,headers:d={},body:u},y)=>{let c=new Headers(
typeof r=="function"?await r():r);st(c,d);let{credentials:l}=e;return(e.fetch??fetch)(i,{method:s,headers:c,body:u,credentials:l,
signal:y,cache:"no-store"})},o=async s=>{let i=new AbortController,{signal:d}=i,u=x=>i.abort(x),y=[e.signal,s.signal].map(
x=>N(x,u)),c=t.timer(s.limit,()=>u(new k("connect-timeout",`nothing came in ${s.limit} ms`))),l=()=>{c();for(let x of y)
x();i.abort()};try{let x=await new Promise((w,h)=>{N(d,h),n(s,d).then(w,h)});return x.ok&&c(),{response:x,signal:d,abort:u,
release:l}}catch(x){let w=at(d,x);throw l(),w}};return{options:e,async send(s){let i=await o(s);return i.response.status!==
401||typeof r!="function"?i:(i.release(),o(s))}}}var at,ee=S(()=>{"use strict";I();ae();at=(e,t)=>se(e.reason??t,"networ\
k","no answer")});function it(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function dt(e,t){let r=e.get("stream-next-offset")??t,n=it(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function Mt(e,t,r){if(t.status===204)return dt(t.headers,r);throw de(t,e)}var Me=S(()=>{
"use strict";ke()});function Gt(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:it(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function _t(e,t,r){
let n=async(o,s,i,d)=>{let u=Fe(e.options.retry).connect+(d?Tr:0),{response:y,release:c}=await je(e,{method:o,url:t(),headers:i,
body:d,signal:s,limit:u});if(c(),y.status!==204&&!y.headers.has("stream-next-offset"))throw de(y,"what a stream's server\
 says");return y};return{async write({body:o,type:s,producer:i,close:d,fail:u,create:y},c){let[l,x,w]=i??[],h={...y,"str\
eam-create":y&&!0,"content-type":o||y?s:void 0,"producer-id":l,"producer-epoch":x,"producer-seq":w,"stream-closed":d||void 0,
"stream-failure":u?.code,"stream-failure-message":u?.message?encodeURIComponent(u.message):void 0};return{offset:(await n(
"POST",c,h,o)).headers.get("stream-next-offset")??""}},create:async(o,s,i)=>Gt((await n("PUT",i,o,s)).headers),async head(o){
try{return Gt((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>Ge(new URL(o,t()),e,r)}}var Tr,Kt=S(()=>{"use strict";ft();ke();ee();ie();Me();Tr=6e4});var zt={};Pt(zt,{httpWrites:()=>_t,writerOf:()=>Pr});function Pr(e,t){let{environment:r,retry:n,signal:o}=e,s,i=(c,l)=>Ct(
r,n,c??o,l),d=async()=>e.type??(await y.head())?.type??Ie,u=(c=!1)=>s??=y.producer({id:qe(),linger:0,create:c}),y={append:(c,l={})=>u(
l.create).append(c,l),producer:c=>Ft(e,t,d,c),async create({type:c=e.type??Ie,ttl:l,expiresAt:x,retention:w,slow:h,closed:T,
records:g=[],signal:P}={}){let b={"content-type":c,"stream-ttl":l,"stream-expires-at":x instanceof Date?x.toISOString():
x,"stream-retention":w,"stream-slow":h,"stream-closed":T||void 0},A=g.map(H=>Pe(H,c)),O=await i(P,()=>t.create(b,A.length?
Le(A,c):void 0,P));return e.type=c,e.created=r.now(),{...O,type:O.type||c}},async head({signal:c}={}){let l=await i(c,()=>t.
head(c));return e.type=l?.type||e.type,l},close:c=>u().close(c),fail:(c,l,x)=>u().fail(c,l,x),async fork(c,l,{signal:x}={}){
let w=t.sibling(c),h=await w.writes(),T=new URL(t.sibling("").url).pathname;return await i(x,()=>h.create({"stream-forke\
d-from":T,"stream-fork-offset":l},void 0,x)),e.another(w)},async delete({signal:c}={}){await i(c,async l=>{try{await t.delete(
c)}catch(x){if(!l||x.code!=="stream-not-found")throw x}})}};return y}var Jt=S(()=>{"use strict";tt();Wt();It();Ne();$();
Kt()});function _e(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:i,index:d}of e.matchAll(kr)){if(i==='"'&&(n=!n),n)continue;let u=i==="["||i==="{";u?o+=1:(i==="]"||i==="}")&&(o-=1),u&&
o===1?s=d+1:(!o||o===1&&i===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((i,d)=>({raw:r[d]??"",value:i}))}var kr,
ct=S(()=>{"use strict";kr=/\\.|["[\]{},]/gs});function lt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function Ke(){let e=nt(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),i=s.pop()??"";return s.length&&(s[0]=r+s[0],r=""),r+=i,lt(r),s}}var ut=S(()=>{"use strict";$()});function ze(e="",t){let r=Ke(),n;return o=>{let s=[];for(let i of r(o)){if(!i){n&&s.push({...n,id:e}),n=void 0;continue}
let d=i.indexOf(":"),u=d<0?i:i.slice(0,d),y=d<0?"":i.slice(d+(i[d+1]===" "?2:1)),c=n??{event:"",data:null,id:e};if(u==="\
data")c.data=c.data===null?y:`${c.data}
${y}`;else if(u==="event")c.event=y;else if(u==="id"&&!y.includes("\0"))e=y;else if(!t?.(u,y,c))continue;n=c,lt(n.data??
"")}return s}}var pt=S(()=>{"use strict";ut()});function ce(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Je=S(()=>{"use strict"});function Qe({response:e,signal:t,abort:r,release:n},o,s,i,d=37500){let u=e.body?.getReader(),y=Number(e.headers.get("str\
eam-heartbeat"))*1e3,c=s||2.5*y||d,l=1/0,x=!0,w=()=>o.now()-l,h=()=>r(new k("silent",`nothing came in ${w()} ms`,{facts:{
first:x}})),T=o.watch(g=>{g==="freeze"?r(new k("network","the page is put away")):g!=="hidden"&&g!=="offline"&&w()>c*1.2/
2.5&&h()});return t.addEventListener("abort",()=>{u?.cancel().catch(()=>{})}),{async read(){let g=x&&i||c;l=o.now();let P=o.
timer(g,()=>{w()<g+1e3?h():P=o.timer(3e3,h)});try{let b=await u?.read();return x=!1,t.throwIfAborted(),b?.value}catch(b){
throw at(t,b)}finally{l=1/0,P()}},release(){T(),n()}}}var mt=S(()=>{"use strict";I();ee()});function Ar(e,{last:t,from:r,slow:n,missing:o},s){let i=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return st(
i.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),i.href}function yt(e,t,r,n,o,s=0){let{signal:i,retry:d}=r;
return r.sent(),je(e,{url:Ar(t,r,n),headers:{accept:o},signal:i,limit:d.connect+s})}async function*Cr(e,t,r,n){let{environment:o,
retry:s,first:i,parts:d}=n,{query:u,accept:y}=r,c=await yt(e,t,n,u,y),{response:l}=c,{headers:x}=l,w=Qe(c,o,s.silence,i);
try{if(l.status===204||!x.get("content-type")?.startsWith(y))return yield(await q(d.rest)).inPlaceOf(y,l,n.from);yield{kind:"\
open"};let h=await r.parser(l,n),T=r.tailless;for(;;){let g=w.read();T&&await Wr(g,o)&&(T=!1,yield{kind:"quiet"});let P=await g;
if(!P)break;let b=[];try{h(P,b)}catch(A){throw(await q(d.rest)).unreadable(A)}b.length||(yield{kind:"beat"}),yield*b}throw new k(
"truncated","the answer was cut")}finally{w.release()}}function Re(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function Ye(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var le,Wr,Se=S(()=>{"use strict";mt();I();ue();ee();
le=e=>(t,r)=>({name:e.name,open:n=>Cr(t,r,e,n)});Wr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};
e.then(o,o)})});async function*Dr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Hr,Qt,Yt=S(()=>{"use strict";ct();$();pt();Je();Se();
Hr=le({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},parser({headers:e},{type:t}){let r=ze(),
n=e.get("stream-sse-data-encoding")==="base64",o=[],s=d=>n?[{raw:re(d)}]:(t?B(t)==="json":d.startsWith("["))?_e(d):d?[{raw:d}]:
[],i=(d,u)=>{let{streamNextOffset:y,streamClosed:c,streamFailure:l,streamError:x,streamDetached:w,streamGap:h}=d,T=d.upToDate===
!0&&!c,g=(P,b)=>{b&&u.push(ce(P,b,y))};g("stream-gap",h),o.length?u.push({kind:"records",records:o,offset:y,upToDate:T}):
h||g(T?"up-to-date":"beat",{}),o=[],l?g("stream-failed",l):c?g("stream-closed",{}):x?g("stream-error",x):g("stream-detac\
hed",w)};return(d,u)=>{for(let{event:y,data:c}of r(d))c!==null&&(y==="data"?o.push(...s(c)):y==="control"&&i(JSON.parse(
c),u))}}});Qt=(...e)=>{let{name:t,open:r}=Hr(...e);return{name:t,open:n=>Dr(r(n))}}});function qr(e,t){let r=Br.exec(e);return r&&Object.keys(t).length===2?e.trimEnd().slice(r[0].length,-1):JSON.stringify(t.
data)}var Br,Vt,Xt=S(()=>{"use strict";ut();$();Je();Se();Br=/^\{"offset":"[^"\\]*","data":/;Vt=le({name:"ndjson",accept:"\
application/x-ndjson",query:{},parser(e,{type:t}){let r=Ke(),n=B(t)==="json";return(o,s)=>{for(let i of r(o)){if(!i.trim())
continue;let d=JSON.parse(i),{offset:u,control:y,data:c,base64:l}=d;y==="up-to-date"?Ye(s,u):y?s.push(ce(`stream-${y}`,d,
u)):l!==void 0?Re(s,{raw:re(l),offset:u}):Re(s,n?{raw:qr(i,d),value:c,offset:u}:{raw:String(c),offset:u})}}}})});async function Ir(e,{environment:t,retry:r}){let n=Qe(e,t,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return Ue(o)}finally{n.release()}}function Ur(e,t){let r=B(t),n=r==="bytes"?e:Ht(e);if(r!=="json")return n.length?
[{raw:n}]:[];try{return _e(n)}catch(o){throw $e(o,/]\s*$/.test(n)?"bad-answer":"truncated")}}async function*Lr(e,t,r){let{
live:n,missing:o}=r,{from:s,last:i}=r,d,u=s==="now";for(;;){let y=n&&(u||o==="wait"),c={...r,from:s,last:i,...y?{}:{slow:void 0,
missing:void 0}},l=await yt(e,t,c,{live:y?"long-poll":void 0,cursor:d},void 0,y?Fr:0),{response:x}=l,{headers:w,status:h}=x,
T=w.get("stream-next-offset");if(T===null)throw l.release(),de(x,"a page of a stream");let g=await Ir(l,r),P=w.get("cont\
ent-type")??r.type??"",b=h===204?[]:Ur(g,P),A=w.get("stream-up-to-date")==="true"||h===204,O=A&&w.get("stream-closed")===
"true",H=A&&!O;if(yield{kind:"open",type:P},b.length?yield{kind:"records",records:b,offset:T,upToDate:H}:yield H?{kind:"\
up-to-date",offset:T}:{kind:"beat"},O&&(yield dt(w,T)),u&&(!b.length||T===s))break;u=A,s=T,i=void 0,d=w.get("stream-curs\
or")??void 0}yield{kind:"stream-detached"}}var Fr,Zt,er=S(()=>{"use strict";mt();Ne();ct();$();ke();Me();Se();Fr=6e4;Zt=
(e,t)=>({name:"long-poll",open:r=>Lr(e,t,r)})});var tr,rr=S(()=>{"use strict";$();tr=e=>t=>{let r=JSON.parse(t);return typeof r!="string"?re(r.base64):e?re(r):r}});var wt,gt,ht,Ve,bt=S(()=>{"use strict";ee();wt=new Map,gt=e=>`headwater:transport:${fe(e.url).origin}`,ht=e=>{try{return e(
sessionStorage)}catch{return}},Ve=e=>{let t=gt(e);return wt.get(t)??Number(ht(r=>r.getItem(t)))}});function nr(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",i=0,d=0,u=0,y=0,c=()=>i+1>=n.length,l=(h,T)=>{i=h,d=T,u=y=0},x=()=>{
let h=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===h[0]?!1:(n=e.transports(h,void 0,r),l(0,d),!0)},w=s?Ve(
e):0;return w>o&&l(n.length-1,w),{current(h){return d&&h>=d&&l(0,0),[n[i],!c()]},settle:()=>l(i,d),async after({code:h,facts:T},g){
let P=h==="bad-answer";return u=P?u+1:0,y=h==="truncated"?y+1:0,P&&T.protocol&&s&&x()?!0:c()?u<3:(((h==="silent"?T.first:
h==="connect-timeout"&&t.length===1&&await Gr(e))||u>=3||y>=$r)&&(l(n.length-1,g+Nr),s&&Mr(gt(e),d)),!0)}}}function Mr(e,t){
wt.set(e,t),ht(r=>r.setItem(e,String(t)))}var Nr,$r,jr,Gr,or=S(()=>{"use strict";ee();bt();Nr=30*6e4,$r=3,jr=1e3;Gr=async({
requester:e,url:t})=>e?.send({url:fe(t).href,method:"HEAD",limit:jr}).then(({release:r})=>(r(),!0),()=>!1)});var sr={};Pt(sr,{badRecord:()=>Nt,choiceOf:()=>nr,inPlaceOf:()=>Mt,problemOf:()=>Lt,quoted:()=>tr,told:()=>$t,transportOf:()=>Kr,
unreadable:()=>$e});function Kr(e){let t=_r[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new k("unsupported",`the transport ${e} is not in the core; ${r}`)}var _r,
ar=S(()=>{"use strict";I();Yt();Xt();er();ke();Me();rr();or();_r={ndjson:Vt,"long-poll":Zt,"live-sse":Qt}});var vt,q,ir,ue=S(()=>{"use strict";I();vt={writing:()=>Promise.resolve().then(()=>(Jt(),zt)),rest:()=>Promise.resolve().then(()=>(ar(),sr))},
q=async(e,t)=>{try{return await e()}catch(r){throw new k("network",`import() failed: ${r}`,{cause:r,retryAfter:t})}},ir=
({rest:e})=>async t=>{let{problemOf:r}=await q(e,1e3*Number(t.headers.get("retry-after"))||0);return r(t)}});function zr(e=t=>t){let t=ze();return(r,n)=>{for(let{event:o,data:s,id:i}of t(r))s===null?i&&Ye(n,i):o.startsWith("strea\
m-")?n.push(ce(o,JSON.parse(s),i)):Re(n,{raw:e(s),offset:i})}}var dr,fr=S(()=>{"use strict";ue();$();pt();Je();Se();dr=le(
{name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r}){let n=e.
has("stream-sse-data-encoding");return zr(n||B(t)!=="json"?(await q(r.rest)).quoted(n):void 0)}})});function Ge(e,t,r){let n=()=>fe(e).href,o=s=>({name:s,async*open(i){yield*(await q(r.rest)).transportOf(s)(t,n()).open(i)}});
return{url:String(e),transports(s,i,d){let u=[B(i)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(c=>c==="auto"?u:
c).map(c=>typeof c=="function"?c(t,n()):c!=="sse"?o(c):d?dr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await q(r.
writing)).httpWrites(t,n,r)}}var ft=S(()=>{"use strict";ue();$();ee();fr()});var Ze=globalThis;function yr(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Rt=()=>Ze.document?.visibilityState==="hidden",wr=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function gr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Rt()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>wr.forEach(o=>Ze[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var et={now:()=>Date.now(),timer:yr,random:()=>Math.random(),online:()=>Ze.
navigator?.onLine!==!1,hidden:Rt,watch:gr};I();ft();ue();Te();tt();function cr(e,t={}){let{id:r=qe()}=t,n,o=0,s=e({...t,id:r});s.then(u=>n=u,()=>{});let i=(u,y=0)=>(...c)=>(o+=y,s.then(
l=>l[u](...c))),d={id:r,get pending(){return n?n.pending:o},append:i("append",1),write:i("write",1),flush:i("flush"),close:i(
"close"),fail:i("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async u=>{
await d.fail("aborted",u&&String(u))}}),[Symbol.asyncDispose]:i(Symbol.asyncDispose)};return d}I();ue();Te();$();ie();ae();bt();var xt=e=>!/^(start|now|-1)$/.test(e);function lr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:i="throw",missing:d,checkpoint:u,transport:y=e.transport}=t,c=[].concat(y),l=Z(n,o),x={},w=t.from??"start",h,T,g=new AbortController,
P,b,A,O,H=u,C=!1,K=!1,z=[],U=0,F,Y,J,j,pe=Promise.resolve(),V=()=>new Promise(p=>A=p);async function*me(p,a){try{for(;;){
let f=pe.then(()=>we(p));pe=f.catch(()=>{});let m=await f;if(!m)return;for(let v of a(m))yield v}}finally{await G()}}let ye=p=>{
let a=R[Symbol.asyncIterator]();return new ReadableStream({async pull(f){let m=await a.next();m.done?f.close():f.enqueue(
p(m.value))},cancel:()=>G()},{highWaterMark:0})},we=async p=>{j!==void 0&&b?.kind!=="stopped"&&(R.offset=j,j=void 0,await u?.
save(R.offset));let a=!1,f;if(!z[U]){let v=await ge();if(!v)return;F=R.offset,{records:z,offset:Y,upToDate:a,gap:f}=v,U=
0,J=B(e.type)}let m=[];for(let v=z[U];v&&m.length<p;v=z[U]){let{raw:E,offset:D=z[U+1]?F:Y}=v;try{let W=e.decode(E,typeof E==
"string"?J:"bytes",v);m.push({data:W instanceof Promise?await W:W,offset:D,raw:E}),j=D,U+=1}catch(W){if(m.length){a=!1;break}
U+=1;let _=await q(e.parts.rest).then(({badRecord:Q})=>Q(W,E,D),Q=>Q);throw await G("error",_),_}}return j??=w,{records:m,
offset:j,upToDate:a,gap:f}},ge=async()=>{let p=b?void 0:(await(P??=Xe()).next()).value;if(!p&&b?.error)throw b.error;return p},
te=(p,a)=>{for(let f of x[p]??[])f(a)},L=p=>{p!==R.state&&te("state",R.state=p)},M=(p,a,f,m)=>{b||(b={kind:p,offset:a,...f&&
{code:f.code,error:f},...m},R.lastError=f??R.lastError,R.transport=null,L("ended"),A(b))},G=async(p="stopped",a)=>{if(b)
return;M(p,R.offset,a),g.abort();let f=P;P=void 0,await f?.return()};async function*Xe(){let p=[e.signal,t.signal].map(a=>N(
a,R.close));try{let a=await H?.load();for(H=void 0,a&&(w=R.offset=a);!b;)yield*Ae()}finally{for(let a of p)a()}}async function*Ae(){
let p=w,a,f=!1,m={};g=new AbortController,K=!1,O&&(yield O),O=void 0;try{L("connecting");for await(let E of await he()){
E.kind==="open"?a=o.now():E.kind!=="quiet"&&(f=!0);let W=(E.kind==="stream-error"||E.kind==="stream-failed")&&(await q(e.
parts.rest)).told(E);if(E.kind==="stream-error")throw W;if(E.kind==="stream-detached"){let Q=Number(E.retry_after)*1e3;m=
{hint:Q,personal:!0,planned:!Q};break}let _=b?void 0:De(E);if(W&&M("failed",w,W,W.facts),_&&(yield _),C&&M("up-to-date",
w),b)break}}catch(E){if(!(E instanceof k))throw E;b||(m=await ve(E,a,p))}finally{g.abort(),R.transport=null}let v=o.now();
b||await xe(K?l.held():l.end({up:v-(a??v),heard:f,...m}))}let he=async()=>{let p=o.now();h??=r.transports(c,e.type,s),!T&&
h[1]&&Ve(r)>p&&await Ce();let[a,f]=T?.current(p)??[h[0],h[1]];return R.transport=a.name,a.open({...e,...t,live:s,from:w,
last:xt(w)?void 0:t.last,first:f?3e3:void 0,signal:g.signal,sent:l.begin})},Ce=async()=>T??=(await q(e.parts.rest)).choiceOf(
r,c,s,h,o.now()),We=async(p,a,f)=>{let{code:m}=p;return m!=="network"&&(m!=="truncated"||!f&&a<1e3)?Ce().then(v=>v.after(
p,o.now()),()=>!0):(T?.settle(),!0)},He=()=>{L("live"),C=!s},oe=(p,a=!1)=>({records:p,offset:w,upToDate:a}),be=p=>(te("g\
ap",p),{...oe([]),gap:p}),De=p=>{let{kind:a,type:f,offset:m}=p,v=xt(w);e.type??=f||void 0;let E=W=>!v||(W.offset??m)>w,D=p.
kind==="records"?p.records.filter(E):[];switch(m&&m!==w&&!(v&&m<w)&&(w=m,(v||a!=="up-to-date")&&l.progress()),p.kind){case"\
open":case"stream-created":return L("catching-up");case"stream-waiting":return L("absent");case"records":return p.upToDate&&
He(),D.length?oe(D,p.upToDate):void 0;case"up-to-date":return He(),oe([],!0);case"stream-gap":return be({from:p.from,to:p.
to,reason:p.reason});case"stream-signal":case"stream-presence":return te("notice",{name:a.slice(7),data:p.data});case"st\
ream-closed":return M("closed",w);default:R.state==="catching-up"&&v&&L("live")}},ve=async(p,a,f)=>{let m=o.now(),{code:v,
retryAfter:E}=p,D=v==="stream-not-found";if(R.lastError=p,v==="stopped")M("stopped",R.offset);else if(v==="offset-gone"&&
i!=="throw"){let W=w;w=i==="now"?i:String(p.facts.earliest??"start"),O=be({from:W,to:w,reason:"gone"})}else{if(v==="stre\
am-awaited")return{planned:!0};if(D&&d==="wait")L("absent");else{if(D&&m-e.created<1e4)return{hint:E};if(p.retryable&&await We(
p,m-(a??m),w!==f))te("error",p);else{let W=a!==void 0||xt(w);M((D||v==="stream-gone")&&W?"deleted":"error",R.offset,p)}}}
return{hint:E}},xe=async p=>{if(p===null){let m=R.lastError??new k("truncated","the answer was cut");M("error",R.offset,
m);return}let a=!o.online(),f=p;o.hidden()&&l.count&&(f=Math.max(f,o.random()*n.cap)),a&&(f=Math.max(f,n.cap)),R.state!==
"absent"&&f&&L(a?"offline":"waiting"),g=new AbortController,await X(o,l,f,g.signal,(m,v)=>{R.retryAt=m,v==="offline"&&L(
v)}),R.retryAt=null},R={state:"idle",offset:w,transport:null,get attempt(){return l.count},retryAt:null,lastError:null,end:V(),
on(p,a){let f=x[p]??=new Set;return f.add(a),()=>f.delete(a)},[Symbol.asyncIterator]:()=>me(1,({records:p})=>p),batches:()=>me(
1/0,p=>[p]),readable:()=>ye(({data:p})=>p),bytes:()=>ye(({raw:p})=>typeof p=="string"?ne(J==="json"?`${p}
`:p):p),skip(){b?.code==="bad-record"&&(b=void 0,R.end=V(),L("idle"))},reconnect(){l.count=0,K=!0,g.abort(new k("network",
"reconnect()"))},close:()=>{G()},[Symbol.asyncDispose]:()=>G()};return R}$();ee();ie();function Et(e){if(e instanceof Promise)return e.then(Et);if(e.issues)throw e;return e.value}ae();var Ot=()=>{throw new k("unsupported",'only on a connection: "headwater/connection"')};function ur(e,t,r=-1/0){let{
environment:n=et,decode:o,schema:s,transport:i="auto",signal:d,parts:u=vt}=t,y=Fe(t.retry),c,l={door:e,retry:y,environment:n,
signal:d,transport:i,parts:u,type:t.type,created:r,another:g=>ur(g,t,n.now()),decode:(g,P,b)=>{let A=o?o(g):"value"in b?
b.value:Dt(g,P);return s?Et(s["~standard"].validate(A)):A}},x=async()=>{let g=Z(y,n);for(;;){g.begin();try{return(await q(
u.writing)).writerOf(l,await e.writes())}catch(P){if(d?.aborted)throw se(d.reason,"stopped","the signal was aborted");let b=g.
end({});if(b===null)throw P;await X(n,g,b,d)}}},w=()=>c??=x().catch(g=>(c=void 0,Promise.reject(g))),h=(g,P)=>(...b)=>new Promise(
(A,O)=>{let H=N(b[P]?.signal,O),C=K=>K[g](...b);w().finally(H).then(C).then(A,O)}),T={get url(){return e.url},get type(){
return l.type},[Symbol.asyncIterator]:()=>T.read()[Symbol.asyncIterator](),read:(g={})=>lr(l,g),async all(g){let P=[];for await(let{
data:b}of T.read({...g,live:!1}))P.push(b);return P},append:h("append",1),producer:g=>cr(P=>w().then(b=>b.producer(P)),g),
create:h("create",0),head:h("head",0),close:h("close"),fail:h("fail"),fork:h("fork",2),delete:h("delete",0),...e.live??{
signal:Ot,signals:Ot,presence:Ot},sink:()=>l};return T}function pr(e,t={}){let{environment:r=et,parts:n=vt}=t;return ur(
Ge(e,{...jt(t,r),problem:ir(n)},n),t)}export{pr as stream};
