// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited.
var Hr=Object.defineProperty;var S=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var nt=(e,t)=>{for(var r in t)Hr(e,r,{get:t[r],enumerable:!0})};function It(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var P,qr,
Lt,te,Ae,Ue,Nt,q=S(()=>{"use strict";P=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=qr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},qr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
Lt=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),te=(e,t,r)=>e instanceof P?e:new P(t,`${r}: ${e}`,{cause:e});Ae=(e,t)=>new P(
"stopped",e,t?{cause:t}:{}),Ue=(e,t)=>new P("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),Nt=()=>Ue("the\
 server forgot this producer")});function j(e,t){let r=()=>{let n=e?.reason;t(n instanceof P?n:Ae("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var pe=S(()=>{"use strict";q()});function re(e,t,r,n,o,s){let a=[];return new Promise(d=>{let p,y=l=>{p=e.now()+l,a.push(e.timer(l,d,"pause")),o?.(p)};y(
r);let h=l=>{o?.(p,l),!(s||!/^(online|visible|resume)$/.test(l))&&(t.count=0,y(Math.max(l==="online"?e.random()*500:0,t.
held())))};a.push(j(n,()=>d()),e.watch(h))}).finally(()=>{for(let d of a)d()})}var Se=S(()=>{"use strict";pe()});function Be(e){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...e===!1?{attempts:0}:
e}}function ne({base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],p=!1,y,h=-1/0,l={count:0,begin(){
d=[...d.slice(-11),s()],y??=s(),p=!1},progress(){y=s(),l.count=0,p=!0,d=[]},held:()=>d.length<12?0:Math.max(0,d[0]+6e4-s()),
end({up:u=0,heard:g,planned:f,hint:b,personal:v}){let E=s(),C=u>=r&&g;C&&(l.count=0,y=E);let T=E-(y??E),k;return f&&(p||
C)?k=Math.max(0,h+1e3-E):p?k=a()*e:k=a()*Math.min(f?r:t,4*e+2*T,e*2**l.count++),f&&(h=E+k),b&&(k=Math.max(k,b*(v?1:1+.3*
a()))),k=Math.max(k,l.held()),l.count>n||k+T>o?null:k}};return l}var ae=S(()=>{"use strict"});var qe,at=S(()=>{"use strict";qe=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function it(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var z,Fe,ie=S(()=>{"use st\
rict";Y();z=async e=>typeof e=="function"?U(async()=>e()):e;Fe=(e,t,r)=>Object.assign(it(e,r),{offset:t})});async function $t(e,t,r,n){let o=ne(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
P)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let p=o.end({hint:d.retryAfter});if(p===null)throw d;await re(
e,o,p,r,void 0,d.retryAfter!==void 0)}}var jt=S(()=>{"use strict";q();Se();ae()});var Le,F,de,fe,ft,Mt,Kt,M=S(()=>{"use strict";Le="application/json",F=(e=Le)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",de=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),fe=e=>new TextEncoder().
encode(e),ft=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),Mt=e=>ft().decode(e),Kt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):fe(e)});function Gt(e,t){let r=F(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return fe(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new P("bad-record",`${typeof e} i\
s no record of ${t}`)}function Ie(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function Ne(e,t){return F(t)!=="json"?Ie(e):Ie([...e.flatMap((r,n)=>[fe(n?",":"["),r]),fe("]")])}var _t,
$e=S(()=>{"use strict";q();M();_t=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function Jt({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:p,linger:y=5,batchBytes:h=1<<20,bufferBytes:l=8<<20,
claim:u,create:g,idempotent:f=!0}=d,b=f?d.inFlight??5:1,{epoch:v=0}=d;if(!p||!(v>=0&&h>0&&b>0))throw new P("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let E=ne(t,r),C=new AbortController,T=0,k,R,B=[],H=[],X,
_=0,N="",L,Z,J=Promise.resolve(),K=!1,he=!1,ee=-1/0,be=[],ve,xe=async i=>{for(;!i();)await new Promise(c=>be.push(c))},Oe=()=>{
for(let i of be.splice(0))i()},I=()=>xe(()=>{let i=_<l||L;return i||se(),i}),Q=async(i,c,w,x)=>{k??=await s();let A=await a(
i,k);if(await I(),L)throw L;let D={bytes:A,resolve:c,reject:w};V(D),D.ignore=j(x,G=>{let $=R?.entries.indexOf(D)??-1;R&&
$>=0?(R.entries.splice($,1),R.size-=A.length,_-=A.length,w(G)):w(Ae("the signal was aborted; the record may arrive",x?.reason))})},
V=i=>{let{bytes:c}=i,w=c?.length??0;return R&&c&&(!_t(k)||R.size+w>h)&&se(),R??={entries:[],size:0,seq:0,bad:0},R.entries.
push(i),R.size+=w,_+=w,X??=r.timer(y,se),R},se=()=>{X?.(),X=void 0,R?.entries.length&&B.push(R),R=void 0,le()},tt=async(i,c)=>{
if(await J,L)throw L;k??=await s();let w=()=>{};return c!==void 0&&V({bytes:await a(c,k),resolve:w,reject:w}),new Promise(
(x,A)=>{V({resolve:x,reject:A}).close=i,se()})},We=(i,c)=>(Z??=tt(i,c),Z.catch(()=>Z=void 0),Z),le=()=>{K&&!H.length&&(K=
!1,v+=1,T=0);let i=()=>H.some(c=>!c.seq)||B[0]?.close&&H.length;for(;!K&&B.length&&H.length<b&&!i();){let c=B.shift();c.
seq=T++,c.lost=!1,H.push(c),rt(c)}},rt=async i=>{let c=zt(i),w={body:c.length?Ne(c,k):void 0,type:k,producer:f?[p,v,i.seq]:
void 0,create:g?{}:void 0,...i.close};for(i.write=w;i.write===w;){let x=Math.min(...H.map(A=>A.seq));(!e.live||i.seq===x)&&
E.begin();try{let{offset:A}=await o.write(w,C.signal);if(i.write!==w)return;E.progress(),A>N&&(N=A),ke(i,A);return}catch(A){
if(i.write!==w||!await Ee(i,A,x))return}}},Ee=async(i,c,w)=>{let{code:x,facts:A,message:D,retryable:G,retryAfter:$,status:Ut}=c;
if(G&&!f&&Ut===void 0)return De(i,Ue(D,c));if(G&&!(x==="bad-answer"&&++i.bad>=3)){let Re=r.now();if(i.lost=!0,Re>=ee){let Bt=E.
end({hint:$});if(Bt===null)return m(Ue(D,c));ee=Re+Bt}return await re(r,E,ee-Re,C.signal,void 0,$!==void 0),ee=Math.min(
ee,r.now()),!0}return x==="producer-gap"?Pe(i,Number(A.expected??A.expected_seq),w):x==="producer-fenced"&&u?Te(Number(A.
epoch??v)+1):Ut===404&&g&&!he?(he=!0,o.create({"content-type":k},void 0,C.signal).then(()=>!0,Re=>Ee(i,Re,w))):De(i,c)},
Pe=async(i,c,w)=>{if(c>i.seq)return ke(i,N);if(c<w||w===i.seq)return Te(v+1);let x=H.find(A=>A.seq<i.seq);return await xe(
()=>!x||!H.includes(x)),!0},Te=i=>{v=i,T=0;for(let c of H)c.lost&&W(c,Nt());He(H.filter(c=>c.write)),H=[],le(),Oe()},He=i=>{
for(let c of i)c.write=void 0;B.unshift(...i)},De=(i,c)=>{if(Lr.test(c.code))return m(c);let w=H.filter(x=>x.seq>i.seq);
H=H.filter(x=>x.seq<=i.seq),He(w),K=!0,ke(i,c)},ke=(i,c)=>{H=H.filter(w=>w!==i),W(i,c),le(),Oe()},W=(i,c)=>{i.write=void 0,
_-=i.size;for(let{resolve:w,reject:x,ignore:A}of i.entries)A?.(),typeof c=="string"?w(c):x(c)},m=i=>{L??=i,X?.(),ve?.();
let c=[...H,...B,...R?[R]:[]];H=[],B=[],R=void 0,C.abort(i);for(let w of c)W(w,i);Oe()},O={id:p,get pending(){return[...H,
...B,...R?[R]:[]].flatMap(zt).length},append(i,{signal:c}={}){return Z?Promise.reject(new P("stream-closed","this produc\
er has closed the stream")):new Promise((w,x)=>{J=J.then(()=>Q(i,w,x,c)).catch(x)})},async write(i){if(L)throw L;O.append(
i).catch(c=>L??=c),await J,await I()},async flush(){if(await J,se(),await xe(()=>!R&&!B.length&&!H.length),L)throw L;return N},
close:i=>We({close:!0},i),fail:(i,c,w)=>We({close:!0,fail:{code:i,message:c}},w),async[Symbol.asyncDispose](){await O.flush().
finally(()=>m(Ae("the producer was disposed of")))}};return ve=j(n,m),O}var Lr,zt,Qt=S(()=>{"use strict";q();Se();$e();ae();
pe();Lr=/^(producer-fenced|stream-closed|stream-gone)$/,zt=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Vt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new P(ct(n)??Ir[e]??(e<500?"bad-answer":"\
internal"),ct(o??s??a)??`the server answered ${e}`,{status:e,retryable:Lt(e),offset:ct(d),facts:t,...r})}async function Yt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of Nr)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Vt(t,s,{retryAfter:It(r.get("retry-after"))})}function ue({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new P(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Xt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new P("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function Zt(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
P?s:Vt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new P(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Ir,ct,Nr,me,ye=S(()=>{"use strict";q();Ir={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},ct=e=>typeof e=="string"?e:void 0;Nr=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];me=(e,t="bad-answer")=>te(e,t,
"the answer cannot be read")});function we(e){return new URL(e,globalThis.location?.href)}function lt(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function je(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function er(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:p},y)=>{let h=new Headers(
typeof r=="function"?await r():r);lt(h,d);let{credentials:l}=e;return(e.fetch??fetch)(a,{method:s,headers:h,body:p,credentials:l,
signal:y,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,p=u=>a.abort(u),y=[e.signal,s.signal].map(
u=>j(u,p)),h=t.timer(s.limit,()=>p(new P("connect-timeout",`nothing came in ${s.limit} ms`))),l=()=>{h();for(let u of y)
u();a.abort()};try{let u=await new Promise((g,f)=>{j(d,f),n(s,d).then(g,f)});return u.ok&&h(),{response:u,signal:d,abort:p,
release:l}}catch(u){let g=pt(d,u);throw l(),g}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var pt,oe=S(()=>{"use strict";q();pe();pt=(e,t)=>te(e.reason??t,"networ\
k","no answer")});function ut(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function mt(e,t){let r=e.get("stream-next-offset")??t,n=ut(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function tr(e,t,r){if(t.status===204)return mt(t.headers,r);throw ue(t,e)}var Me=S(()=>{
"use strict";ye()});function rr(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:ut(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function nr(e,t,r){
let n=async(o,s,a,d)=>{let p=Be(e.options.retry).connect+(d?$r:0),{response:y,release:h}=await je(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:p});if(h(),y.status!==204&&!y.headers.has("stream-next-offset"))throw ue(y,"what a stream's server\
 says");return y};return{async write({body:o,type:s,producer:a,close:d,fail:p,create:y},h){let[l,u,g]=a??[],f={...y,"str\
eam-create":y&&!0,"content-type":o||y?s:void 0,"producer-id":l,"producer-epoch":u,"producer-seq":g,"stream-closed":d||void 0,
"stream-failure":p?.code,"stream-failure-message":p?.message?encodeURIComponent(p.message):void 0};return{offset:(await n(
"POST",h,f,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>rr((await n("PUT",a,o,s)).headers),async head(o){
try{return rr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>Ke(new URL(o,t()),e,r)}}var $r,or=S(()=>{"use strict";yt();ye();oe();ae();Me();$r=6e4});var sr={};nt(sr,{httpWrites:()=>nr,writerOf:()=>jr});function jr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(u,g)=>$t(
r,o,u??s,g),p=async()=>e.type??(await l.head())?.type??Le,y=async(u,g)=>{if(!e.codec)return Gt(u,g);let{encode:f}=await d(
void 0,()=>z(e.codec)),{framed:b}=await d(void 0,()=>U(n.frames));try{return b(f(u),g)}catch(v){throw te(v,"bad-record",
`it is no record of ${g}`)}},h=(u=!1)=>a??=l.producer({id:qe(),linger:0,create:u}),l={append:(u,g={})=>h(g.create).append(
u,g),producer:u=>Jt(e,t,p,y,u),async create({type:u=e.type??Le,ttl:g,expiresAt:f,retention:b,slow:v,closed:E,records:C=[],
signal:T}={}){let k={"content-type":u,"stream-ttl":g,"stream-expires-at":f instanceof Date?f.toISOString():f,"stream-ret\
ention":b,"stream-slow":v,"stream-closed":E||void 0},R=await Promise.all(C.map(H=>y(H,u))),B=await d(T,()=>t.create(k,R.
length?Ne(R,u):void 0,T));return e.type=u,e.created=r.now(),{...B,type:B.type||u}},async head({signal:u}={}){let g=await d(
u,()=>t.head(u));return e.type=g?.type||e.type,g},close:u=>h().close(u),fail:(u,g,f)=>h().fail(u,g,f),async fork(u,g,{signal:f}={}){
let b=t.sibling(u),v=await b.writes(),E=new URL(t.sibling("").url).pathname;return await d(f,()=>v.create({"stream-forke\
d-from":E,"stream-fork-offset":g},void 0,f)),e.another(b)},async delete({signal:u}={}){await d(u,async g=>{try{await t.delete(
u)}catch(f){if(!g||f.code!=="stream-not-found")throw f}})}};return l}var ar=S(()=>{"use strict";at();ie();q();jt();Qt();
$e();Y();M();or()});function _e(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Mr)){if(a==='"'&&(n=!n),n)continue;let p=a==="["||a==="{";p?o+=1:(a==="]"||a==="}")&&(o-=1),p&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Mr,
wt=S(()=>{"use strict";Mr=/\\.|["[\]{},]/gs});function gt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function Ge(){let e=ft(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,gt(r),s}}var ht=S(()=>{"use strict";M()});function ze(e="",t){let r=Ge(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),p=d<0?a:a.slice(0,d),y=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),h=n??{event:"",data:null,id:e};if(p==="\
data")h.data=h.data===null?y:`${h.data}
${y}`;else if(p==="event")h.event=y;else if(p==="id"&&!y.includes("\0"))e=y;else if(!t?.(p,y,h))continue;n=h,gt(n.data??
"")}return s}}var bt=S(()=>{"use strict";ht()});async function Je(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await U(t.frames);return n=>r(
n,e)}function Qe(e,t,r){if(!e.length)return[];try{return t(e).map(n=>it(n,r))}catch(n){throw me(n,"truncated")}}var vt=S(
()=>{"use strict";ie();Y();ye()});function ge(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Ve=S(()=>{"use strict"});function Ye({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let p=e.body?.getReader(),y=Number(e.headers.get("str\
eam-heartbeat"))*1e3,h=s||2.5*y||d,l=1/0,u=!0,g=()=>o.now()-l,f=()=>r(new P("silent",`nothing came in ${g()} ms`,{facts:{
first:u}})),b=o.watch(v=>{v==="freeze"?r(new P("network","page freeze")):v!=="hidden"&&v!=="offline"&&g()>h*1.2/2.5&&f()});
return t.addEventListener("abort",()=>{p?.cancel().catch(()=>{})}),{async read(){let v=u&&a||h;l=o.now();let E=o.timer(v,
()=>{g()<v+1e3?f():E=o.timer(3e3,f)});try{let C=await p?.read();return u=!1,t.throwIfAborted(),C?.value}catch(C){throw pt(
t,C)}finally{l=1/0,E()}},release(){b(),n()}}}var xt=S(()=>{"use strict";q();oe()});function Gr(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return lt(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Ot(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),je(e,{url:Gr(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*zr(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:p,accept:y}=r,h=await Ot(e,t,n,p,y),{response:l}=h,{headers:u}=l,g=Ye(h,o,s.silence,a);
try{if(l.status===204||!u.get("content-type")?.startsWith(y))return yield(await U(d.rest)).inPlaceOf(y,l,n.from);yield{kind:"\
open"};let f=await r.parser(l,n),b=r.tailless;for(;;){let v=g.read();b&&await Jr(v,o)&&(b=!1,yield{kind:"quiet"});let E=await v;
if(!E)break;let C=[];try{f(E,C)}catch(T){throw(await U(d.rest)).unreadable(T)}C.length||(yield{kind:"beat"}),yield*C}throw new P(
"truncated","the answer was cut")}finally{g.release()}}function Xe(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function Ze(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var ce,Jr,Ce=S(()=>{"use strict";xt();q();Y();oe();ce=
e=>(t,r)=>({name:e.name,open:n=>zr(t,r,e,n)});Jr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.
then(o,o)})});async function*Vr(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Qr,ir,dr=S(()=>{"use strict";ie();wt();M();bt();vt();
Ve();Ce();Qr=ce({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=ze(),s=e.get("stream-sse-data-encoding")==="base64",a=await z(n),d=s?await Je(r??"",t):void 0,p=[],
y=l=>d?Qe(de(l),d,a):(r?F(r)==="json":l.startsWith("["))?_e(l):l?[{raw:l}]:[],h=(l,u)=>{let{streamNextOffset:g,streamClosed:f,
streamFailure:b,streamError:v,streamDetached:E,streamGap:C}=l,T=l.upToDate===!0&&!f,k=(R,B)=>{B&&u.push(ge(R,B,g))};k("s\
tream-gap",C),p.length?u.push({kind:"records",records:p,offset:g,upToDate:T}):C||k(T?"up-to-date":"beat",{}),p=[],b?k("s\
tream-failed",b):f?k("stream-closed",{}):v?k("stream-error",v):k("stream-detached",E)};return(l,u)=>{for(let{event:g,data:f}of o(
l))f!==null&&(g==="data"?p.push(...y(f)):g==="control"&&h(JSON.parse(f),u))}}});ir=(...e)=>{let{name:t,open:r}=Qr(...e);
return{name:t,open:n=>Vr(r(n))}}});function Et(e=Yr){let t=ze();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&Ze(n,a):o.startsWith("stream-")?
n.push(ge(o,JSON.parse(s),a)):Xe(n,e(s,a))}}var Yr,fr,Pt=S(()=>{"use strict";Y();M();bt();Ve();Ce();Yr=(e,t)=>({raw:e,offset:t});
fr=ce({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return Et(o||F(t)!=="json"?await(await U(r.rest)).quoted(o,n):void 0)}})});function en(e,t){let r=Xr.exec(e);return r&&Object.keys(t).every(n=>Zr.test(n))?e.trimEnd().slice(r[0].length,-1):JSON.stringify(
t.data)}async function cr({type:e,codec:t}){let r=await z(t),n=F(e)==="json";return(o,s=JSON.parse(o))=>{let{offset:a,data:d,
base64:p,at:y,by:h}=s,l=y===void 0?{offset:a}:{offset:a,known:{at:y,by:h}};return p!==void 0?Object.assign(Fe(de(p),a,r),
l):n?{raw:en(o,s),value:d,...l}:{raw:String(d),...l}}}async function rn(e){let t=await cr(e);return r=>t(r)}var Xr,Zr,tn,
lr,pr,ur=S(()=>{"use strict";ie();ht();M();Ve();Ce();Pt();Xr=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,
Zr=/^(offset|at|by|data)$/;tn=e=>ce({name:"ndjson",accept:"application/x-ndjson",query:e,async parser(t,r){let n=await cr(
r),o=Ge();return(s,a)=>{for(let d of o(s)){if(!d.trim())continue;let p=JSON.parse(d),{offset:y,control:h}=p;h==="up-to-d\
ate"?Ze(a,y):h?a.push(ge(`stream-${h}`,p,y)):Xe(a,n(d,p))}}}}),lr=ce({name:"sse",accept:"text/event-stream",query:{envelope:1},
tailless:!0,parser:async(e,t)=>Et(await rn(t))});pr=(e,t)=>({name:"ndjson",open:r=>tn(r.envelope?{envelope:1}:{})(e,t).open(
r)})});async function on(e,{environment:t,retry:r}){let n=Ye(e,t,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return Ie(o)}finally{n.release()}}function sn({headers:e,type:t,url:r},{length:n},o){let s=n<Number(e.get("con\
tent-length"))&&!e.has("content-encoding"),a=r+n;if(!(!s||t==="cors"&&mr.get(o)===a))throw mr.set(o,a),new P("truncated",
"the answer was cut")}async function an(e,t,r){let n=F(t);if(n==="bytes")return Qe(e,await Je(t,r),await z(r.codec));let o=Mt(
e);if(n==="text")return o?[{raw:o}]:[];try{return _e(o)}catch(s){throw me(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*dn(e,t,r){
let{live:n,missing:o}=r,{from:s,last:a}=r,d,p=s==="now";for(;;){let y=n&&(p||o==="wait"),h={...r,from:s,last:a,...y?{}:{
slow:void 0,missing:void 0}},l=await Ot(e,t,h,{live:y?"long-poll":void 0,cursor:d},void 0,y?nn:0),{response:u}=l,{headers:g,
status:f}=u,b=g.get("stream-next-offset");if(b===null)throw l.release(),ue(u,"a page of a stream");let v=await on(l,r);f!==
204&&sn(u,v,e);let E=g.get("content-type")??r.type??"",C=f===204?[]:await an(v,E,r),T=g.get("stream-up-to-date")==="true"||
f===204,k=T&&g.get("stream-closed")==="true",R=T&&!k;if(yield{kind:"open",type:E},C.length?yield{kind:"records",records:C,
offset:b,upToDate:R}:yield R?{kind:"up-to-date",offset:b}:{kind:"beat"},k&&(yield mt(g,b)),p&&(!C.length||b===s))break;p=
T,s=b,a=void 0,d=g.get("stream-cursor")??void 0}yield{kind:"stream-detached"}}var nn,mr,yr,wr=S(()=>{"use strict";xt();ie();
q();$e();wt();M();ye();vt();Me();Ce();nn=6e4;mr=new WeakMap;yr=(e,t)=>({name:"long-poll",open:r=>dn(e,t,r)})});async function gr(e,t){let r=await z(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?de(s.base64):e?de(s):s};return(o,s)=>Fe(
n(o),s,r)}var hr=S(()=>{"use strict";ie();M()});var Tt,kt,et,Rt=S(()=>{"use strict";oe();Tt=new Map,kt=e=>`headwater:transport:${we(e.url).origin}`,et=e=>{let t=kt(e);try{
return Tt.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function br(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,p=0,y=0,h=()=>a+1>=n.length,l=(f,b)=>{a=f,d=b,p=y=0},u=()=>{
let f=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===f[0]?!1:(n=e.transports(f,void 0,r),l(0,d),!0)},g=s?et(
e):0;return g>o&&l(n.length-1,g),{current(f){return d&&f>=d&&l(0,0),[n[a],!h()]},settle:()=>l(a,d),async after({code:f,facts:b},v){
let E=f==="bad-answer";return p=E?p+1:0,y=f==="truncated"?y+1:0,E&&b.protocol&&s&&u()?!0:h()?p<3:(((f==="silent"?b.first:
f==="connect-timeout"&&t.length===1&&await un(e))||p>=3||y>=cn)&&(l(n.length-1,v+fn),s&&pn(kt(e),d)),!0)}}}function pn(e,t){
Tt.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var fn,cn,ln,un,vr=S(()=>{"use strict";oe();Rt();fn=30*6e4,cn=
3,ln=1e3;un=async({requester:e,url:t})=>e?.send({url:we(t).href,method:"HEAD",limit:ln}).then(({release:r})=>(r(),!0),()=>!1)});var xr={};nt(xr,{badRecord:()=>Xt,choiceOf:()=>br,inPlaceOf:()=>tr,problemOf:()=>Yt,quoted:()=>gr,told:()=>Zt,transportOf:()=>yn,
unreadable:()=>me});function yn(e){let t=mn[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new P("unsupported",`the transport ${e} is not in the core; ${r}`)}var mn,
Or=S(()=>{"use strict";q();dr();ur();wr();ye();Me();hr();vr();mn={sse:lr,ndjson:pr,"long-poll":yr,"live-sse":ir}});var Er={};nt(Er,{framed:()=>gn,isDelimited:()=>St,isMsgpack:()=>At,split:()=>wn});function wn(e,t){if(!At(t)&&!St(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=At(t)?[n,vn(e,n)]:hn(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function gn(e,t){if(!St(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function hn(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function vn(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=bn[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var At,St,bn,Pr=S(()=>{"use strict";At=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),St=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);bn=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});function Tr(e,t,r,n){let o,s=async()=>{let a=ne(t,e);for(;;){a.begin();try{return await n()}catch(d){let p=r?.aborted?null:
a.end({});if(p===null)throw o=void 0,r?.aborted?te(r.reason,"stopped","the signal was aborted"):d;await re(e,a,p,r)}}};return()=>o??=
s()}var Ct,U,kr,Y=S(()=>{"use strict";q();Se();ae();Ct={writing:()=>Promise.resolve().then(()=>(ar(),sr)),rest:()=>Promise.resolve().then(()=>(Or(),xr)),
frames:()=>Promise.resolve().then(()=>(Pr(),Er))},U=async(e,t)=>{try{return await e()}catch(r){throw new P("network",`im\
port(): ${r}`,{cause:r,retryAfter:t})}};kr=({rest:e})=>async t=>{let{problemOf:r}=await U(e,1e3*Number(t.headers.get("re\
try-after"))||0);return r(t)}});function Ke(e,t,r){let n=()=>we(e).href,o=s=>({name:s,async*open(a){yield*(await U(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d,p){let y=[F(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(l=>l==="auto"?
y:l).map(l=>typeof l=="function"?l(t,n()):l!=="sse"?o(l):d?p?o(l):fr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await U(
r.writing)).httpWrites(t,n,r)}}var yt=S(()=>{"use strict";Y();M();oe();Pt()});var ot=globalThis;function Dr(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Ft=()=>ot.document?.visibilityState==="hidden",Ur=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Br(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Ft()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Ur.forEach(o=>ot[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var st={now:()=>Date.now(),timer:Dr,random:()=>Math.random(),online:()=>ot.
navigator?.onLine!==!1,hidden:Ft,watch:Br};q();yt();Y();at();function Rr(e,t={}){let{id:r=qe()}=t,n,o=0,s=e({...t,id:r});s.then(p=>n=p,()=>{});let a=(p,y=0)=>(...h)=>(o+=y,s.then(
l=>l[p](...h))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async p=>{
await d.fail("aborted",p&&String(p))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}q();function Ar(){let e={};return{all:e,emit(t,r){for(let n of e[t]??[])n(r)},on(t,r){let n=e[t]??=new Set;return n.add(r),()=>n.
delete(r)}}}Y();Se();M();ae();pe();Rt();var Wt=e=>!/^(start|now|-1)$/.test(e);function Sr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:p,transport:y=e.transport}=t,h=[].concat(y),l=ne(n,o),{emit:u,on:g}=Ar(),f=t.from??"\
start",b,v,E=new AbortController,C,T,k,R,B=p,H=!1,X=!1,_=[],N=0,L,Z,J,K,he=Promise.resolve(),ee=()=>new Promise(m=>k=m);
async function*be(m,O){try{for(;;){let i=he.then(()=>xe(m));he=i.catch(()=>{});let c=await i;if(!c)return;for(let w of O(
c))yield w}}finally{await V()}}let ve=m=>{let O=W[Symbol.asyncIterator]();return new ReadableStream({async pull(i){let c=await O.
next();c.done?i.close():i.enqueue(m(c.value))},cancel:()=>V()},{highWaterMark:0})},xe=async m=>{K!==void 0&&T?.kind!=="s\
topped"&&(W.offset=K,K=void 0,await p?.save(W.offset));let O=!1,i;if(!_[N]){let w=await Oe();if(!w)return;L=W.offset,{records:_,
offset:Z,upToDate:O,gap:i}=w,N=0,J=F(e.type)}let c=[];for(let w=_[N];w&&c.length<m;w=_[N]){let{raw:x,offset:A=_[N+1]?L:Z}=w;
try{let D=e.decode(x,typeof x=="string"?J:"bytes",w);c.push({data:D instanceof Promise?await D:D,offset:A,raw:x,...w.known}),
K=A,N+=1}catch(D){if(c.length){O=!1;break}N+=1;let G=await U(e.parts.rest).then(({badRecord:$})=>$(D,x,A),$=>$);throw await V(
"error",G),G}}return K??=f,{records:c,offset:K,upToDate:O,gap:i}},Oe=async()=>{let m=T?void 0:(await(C??=se()).next()).value;
if(!m&&T?.error)throw T.error;return m},I=m=>{m!==W.state&&u("state",W.state=m)},Q=(m,O,i,c)=>{T||(T={kind:m,offset:O,...i&&
{code:i.code,error:i},...c},W.lastError=i??W.lastError,W.transport=null,I("ended"),k(T))},V=async(m="stopped",O)=>{if(T)
return;Q(m,W.offset,O),E.abort();let i=C;C=void 0,await i?.return()};async function*se(){let m=[e.signal,t.signal].map(O=>j(
O,W.close));try{let O=await B?.load();for(B=void 0,O&&(f=W.offset=O);!T;)yield*tt()}finally{for(let O of m)O()}}async function*tt(){
let m=f,O,i=!1,c={};E=new AbortController,X=!1,R&&(yield R),R=void 0;try{I("connecting");for await(let x of await We()){
x.kind==="open"?O=o.now():x.kind!=="quiet"&&(i=!0);let D=(x.kind==="stream-error"||x.kind==="stream-failed")&&(await U(e.
parts.rest)).told(x);if(x.kind==="stream-error")throw D;if(x.kind==="stream-detached"){let $=Number(x.retry_after)*1e3;c=
{hint:$,personal:!0,planned:!$};break}let G=T?void 0:He(x);if(D&&Q("failed",f,D,D.facts),G&&(yield G),H&&Q("up-to-date",
f),T)break}}catch(x){if(!(x instanceof P))throw x;T||(c=await De(x,O,m))}finally{E.abort(),W.transport=null}let w=o.now();
T||await ke(X?l.held():l.end({up:w-(O??w),heard:i,...c}))}let We=async()=>{let m=o.now();b??=r.transports(h,e.type,s,t.envelope),
!v&&b[1]&&et(r)>m&&await le();let[O,i]=v?.current(m)??b;return W.transport=O.name,O.open({...e,...t,live:s,from:f,last:Wt(
f)?void 0:t.last,first:i?3e3:void 0,signal:E.signal,sent:l.begin})},le=async()=>v??=(await U(e.parts.rest)).choiceOf(r,h,
s,b,o.now()),rt=async(m,O,i)=>{let{code:c}=m;return c!=="network"&&(c!=="truncated"||!i&&O<1e3)?le().then(w=>w.after(m,o.
now()),()=>!0):(v?.settle(),!0)},Ee=()=>{I("live"),H=!s},Pe=(m,O=!1)=>({records:m,offset:f,upToDate:O}),Te=m=>(u("gap",m),
{...Pe([]),gap:m}),He=m=>{let{kind:O,type:i,offset:c}=m,w=Wt(f);e.type||=i;let x=D=>!w||(D.offset??c)>f,A=m.kind==="reco\
rds"?m.records.filter(x):[];switch(c&&c!==f&&!(w&&c<f)&&(f=c,(w||O!=="up-to-date")&&l.progress()),m.kind){case"open":case"\
stream-created":return I("catching-up");case"stream-waiting":return I("absent");case"records":return m.upToDate&&Ee(),A.
length?Pe(A,m.upToDate):void 0;case"up-to-date":return Ee(),Pe([],!0);case"stream-gap":return Te({from:m.from,to:m.to,reason:m.
reason});case"stream-signal":case"stream-presence":return u("notice",{name:O.slice(7),data:m.data});case"stream-closed":
return Q("closed",f);default:W.state==="catching-up"&&w&&I("live")}},De=async(m,O,i)=>{let c=o.now(),{code:w,retryAfter:x}=m,
A=w==="stream-not-found";if(W.lastError=m,w==="stopped")Q("stopped",W.offset);else if(w==="offset-gone"&&a!=="throw"){let D=f;
f=a==="now"?a:String(m.facts.earliest??"start"),R=Te({from:D,to:f,reason:"gone"})}else{if(w==="stream-awaited")return{planned:!0};
if(A&&d==="wait")I("absent");else{if(A&&c-e.created<1e4)return{hint:x};if(m.retryable&&await rt(m,c-(O??c),f!==i))u("err\
or",m);else{let D=O!==void 0||Wt(f);Q((A||w==="stream-gone")&&D?"deleted":"error",W.offset,m)}}}return{hint:x}},ke=async m=>{
if(m===null){let c=W.lastError??new P("truncated","the answer was cut");Q("error",W.offset,c);return}let O=!o.online(),i=m;
o.hidden()&&l.count&&(i=Math.max(i,o.random()*n.cap)),O&&(i=Math.max(i,n.cap)),W.state!=="absent"&&i&&I(O?"offline":"wai\
ting"),E=new AbortController,await re(o,l,i,E.signal,(c,w)=>{W.retryAt=c,w==="offline"&&I(w)}),W.retryAt=null},W={state:"\
idle",offset:f,transport:null,get attempt(){return l.count},retryAt:null,lastError:null,end:ee(),on:g,[Symbol.asyncIterator]:()=>be(
1,({records:m})=>m),batches:()=>be(1/0,m=>[m]),readable:()=>ve(({data:m})=>m),bytes:()=>ve(({raw:m})=>typeof m=="string"?
fe(J==="json"?`${m}
`:m):m),skip(){T?.code==="bad-record"&&(T=void 0,W.end=ee(),I("idle"))},reconnect(){l.count=0,X=!0,E.abort(new P("networ\
k","reconnect()"))},close:()=>{V()},[Symbol.asyncDispose]:()=>V()};return W}M();oe();ae();function Ht(e){if(e instanceof Promise)return e.then(Ht);if(e.issues)throw e;return e.value}pe();var Dt=()=>{throw new P("unsupported","needs headwater/connection")};function Cr(e,t,r=-1/0){let{environment:n=st,decode:o,
schema:s,transport:a="auto",signal:d,parts:p=Ct}=t,y=Be(t.retry),h={...t,door:e,retry:y,environment:n,transport:a,parts:p,
created:r,another:f=>Cr(f,t,n.now()),decode:(f,b,v)=>{let E=o?o(f):"value"in v?v.value:Kt(f,b);return s?Ht(s["~standard"].
validate(E)):E}},l=Tr(n,y,d,async()=>(await U(p.writing)).writerOf(h,await e.writes())),u=(f,b)=>(...v)=>new Promise((E,C)=>{
let T=j(v[b]?.signal,C),k=R=>R[f](...v);l().finally(T).then(k).then(E,C)}),g={get url(){return e.url},get type(){return h.
type},[Symbol.asyncIterator]:()=>g.read()[Symbol.asyncIterator](),read:(f={})=>Sr(h,f),async all(f){let b=[];for await(let{
data:v}of g.read({...f,live:!1}))b.push(v);return b},append:u("append",1),producer:f=>Rr(b=>l().then(v=>v.producer(b)),f),
create:u("create",0),head:u("head",0),close:u("close"),fail:u("fail"),fork:u("fork",2),delete:u("delete",0),...e.live??{
signal:Dt,signals:Dt,presence:Dt},sink:()=>h};return g}function Wr(e,t={}){let{environment:r=st,parts:n=Ct}=t;return Cr(
Ke(e,{...er(t,r),problem:kr(n)},n),t)}export{Wr as stream};
