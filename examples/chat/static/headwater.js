// The client for TypeScript in one file. Made by `node scripts/bundles.ts` in clients/typescript; not to be edited.
var Ar=Object.defineProperty;var S=(e,t,r)=>()=>{if(r)throw r[0];try{return e&&(t=e(e=0)),t}catch(n){throw r=[n],n}};var nt=(e,t)=>{for(var r in t)Ar(e,r,{get:t[r],enumerable:!0})};function Ft(e){let t=Number(e)*1e3||Date.parse(e??"")-Date.now();return Number.isFinite(t)?Math.max(0,t):void 0}var P,Hr,
qt,te,Ae,Ue,Lt,q=S(()=>{"use strict";P=class extends Error{constructor(t,r,n={}){super(`${r} (${t})`,n);let{facts:o={},retryable:s=Hr.
test(t)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:t,facts:o,retryable:s})}},Hr=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
qt=e=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(e)),te=(e,t,r)=>e instanceof P?e:new P(t,`${r}: ${e}`,{cause:e});Ae=(e,t)=>new P(
"stopped",e,t?{cause:t}:{}),Ue=(e,t)=>new P("unknown-outcome",`it may have arrived: ${e}`,t?{cause:t}:{}),Lt=()=>Ue("the\
 server forgot this producer")});function j(e,t){let r=()=>{let n=e?.reason;t(n instanceof P?n:Ae("the signal was aborted",n))};return e?.addEventListener(
"abort",r),e?.aborted&&r(),()=>e?.removeEventListener("abort",r)}var le=S(()=>{"use strict";q()});function re(e,t,r,n,o,s){let a=[];return new Promise(d=>{let l,y=u=>{l=e.now()+u,a.push(e.timer(u,d,"pause")),o?.(l)};y(
r);let g=u=>{o?.(l,u),!(s||!/^(online|visible|resume)$/.test(u))&&(t.count=0,y(Math.max(u==="online"?e.random()*500:0,t.
held())))};a.push(j(n,()=>d()),e.watch(g))}).finally(()=>{for(let d of a)d()})}var Se=S(()=>{"use strict";le()});function Be(e){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...e===!1?{attempts:0}:
e}}function ne({base:e,cap:t,stable:r,attempts:n,deadline:o},{now:s,random:a}){let d=[],l=!1,y,g=-1/0,u={count:0,begin(){
d=[...d.slice(-11),s()],y??=s(),l=!1},progress(){y=s(),u.count=0,l=!0,d=[]},held:()=>d.length<12?0:Math.max(0,d[0]+6e4-s()),
end({up:p=0,heard:h,planned:f,hint:b,personal:x}){let E=s(),C=p>=r&&h;C&&(u.count=0,y=E);let T=E-(y??E),k;return f&&(l||
C)?k=Math.max(0,g+1e3-E):l?k=a()*e:k=a()*Math.min(f?r:t,4*e+2*T,e*2**u.count++),f&&(g=E+k),b&&(k=Math.max(k,b*(x?1:1+.3*
a()))),k=Math.max(k,u.held()),u.count>n||k+T>o?null:k}};return u}var ae=S(()=>{"use strict"});var qe,at=S(()=>{"use strict";qe=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function it(e,t){return!t||typeof e=="string"?{raw:e}:{raw:e,get value(){return t.decode(e)}}}var z,Fe,ie=S(()=>{"use st\
rict";Y();z=async e=>typeof e=="function"?U(async()=>e()):e;Fe=(e,t,r)=>Object.assign(it(e,r),{offset:t})});async function It(e,t,r,n){let o=ne(t,e),s=0;for(let a=!1;;a=!0)try{return o.begin(),await n(a)}catch(d){if(!(d instanceof
P)||!d.retryable||d.code==="bad-answer"&&(s+=1)>=3)throw d;let l=o.end({hint:d.retryAfter});if(l===null)throw d;await re(
e,o,l,r,void 0,d.retryAfter!==void 0)}}var Nt=S(()=>{"use strict";q();Se();ae()});var Le,F,de,fe,ft,$t,jt,M=S(()=>{"use strict";Le="application/json",F=(e=Le)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.
test(e)?"json":/^\s*text\//i.test(e)?"text":"bytes",de=e=>Uint8Array.from(atob(e),t=>t.charCodeAt(0)),fe=e=>new TextEncoder().
encode(e),ft=()=>new TextDecoder("utf-8",{ignoreBOM:!0}),$t=e=>ft().decode(e),jt=(e,t)=>typeof e!="string"||t==="text"?e:
t==="json"?JSON.parse(e):fe(e)});function Kt(e,t){let r=F(t)==="json"?JSON.stringify(e):e;if(typeof r=="string")return fe(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new P("bad-record",`${typeof e} i\
s no record of ${t}`)}function Ie(e){let t=new Uint8Array(e.reduce((n,o)=>n+o.length,0)),r=0;for(let n of e)t.set(n,r),r+=
n.length;return t}function Ne(e,t){return F(t)!=="json"?Ie(e):Ie([...e.flatMap((r,n)=>[fe(n?",":"["),r]),fe("]")])}var Mt,
$e=S(()=>{"use strict";q();M();Mt=e=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(e)});function _t({door:e,retry:t,environment:r,signal:n},o,s,a,d){let{id:l,linger:y=5,batchBytes:g=1<<20,bufferBytes:u=8<<20,
claim:p,create:h,idempotent:f=!0}=d,b=f?d.inFlight??5:1,{epoch:x=0}=d;if(!l||!(x>=0&&g>0&&b>0))throw new P("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let E=ne(t,r),C=new AbortController,T=0,k,R,B=[],H=[],X,
G=0,N="",L,Z,J=Promise.resolve(),K=!1,he=!1,ee=-1/0,be=[],ve,xe=async i=>{for(;!i();)await new Promise(c=>be.push(c))},Oe=()=>{
for(let i of be.splice(0))i()},I=()=>xe(()=>{let i=G<u||L;return i||se(),i}),Q=async(i,c,w,v)=>{k??=await s();let A=await a(
i,k);if(await I(),L)throw L;let D={bytes:A,resolve:c,reject:w};V(D),D.ignore=j(v,_=>{let $=R?.entries.indexOf(D)??-1;R&&
$>=0?(R.entries.splice($,1),R.size-=A.length,G-=A.length,w(_)):w(Ae("the signal was aborted; the record may arrive",v?.reason))})},
V=i=>{let{bytes:c}=i,w=c?.length??0;return R&&c&&(!Mt(k)||R.size+w>g)&&se(),R??={entries:[],size:0,seq:0,bad:0},R.entries.
push(i),R.size+=w,G+=w,X??=r.timer(y,se),R},se=()=>{X?.(),X=void 0,R?.entries.length&&B.push(R),R=void 0,ce()},tt=async(i,c)=>{
if(await J,L)throw L;k??=await s();let w=()=>{};return c!==void 0&&V({bytes:await a(c,k),resolve:w,reject:w}),new Promise(
(v,A)=>{V({resolve:v,reject:A}).close=i,se()})},We=(i,c)=>(Z??=tt(i,c),Z.catch(()=>Z=void 0),Z),ce=()=>{K&&!H.length&&(K=
!1,x+=1,T=0);let i=()=>H.some(c=>!c.seq)||B[0]?.close&&H.length;for(;!K&&B.length&&H.length<b&&!i();){let c=B.shift();c.
seq=T++,c.lost=!1,H.push(c),rt(c)}},rt=async i=>{let c=Gt(i),w={body:c.length?Ne(c,k):void 0,type:k,producer:f?[l,x,i.seq]:
void 0,create:h?{}:void 0,...i.close};for(i.write=w;i.write===w;){let v=Math.min(...H.map(A=>A.seq));(!e.live||i.seq===v)&&
E.begin();try{let{offset:A}=await o.write(w,C.signal);if(i.write!==w)return;E.progress(),A>N&&(N=A),ke(i,A);return}catch(A){
if(i.write!==w||!await Ee(i,A,v))return}}},Ee=async(i,c,w)=>{let{code:v,facts:A,message:D,retryable:_,retryAfter:$,status:Ht}=c;
if(_&&!f&&Ht===void 0)return De(i,Ue(D,c));if(_&&!(v==="bad-answer"&&++i.bad>=3)){let Re=r.now();if(i.lost=!0,Re>=ee){let Dt=E.
end({hint:$});if(Dt===null)return m(Ue(D,c));ee=Re+Dt}return await re(r,E,ee-Re,C.signal,void 0,$!==void 0),ee=Math.min(
ee,r.now()),!0}return v==="producer-gap"?Pe(i,Number(A.expected??A.expected_seq),w):v==="producer-fenced"&&p?Te(Number(A.
epoch??x)+1):Ht===404&&h&&!he?(he=!0,o.create({"content-type":k},void 0,C.signal).then(()=>!0,Re=>Ee(i,Re,w))):De(i,c)},
Pe=async(i,c,w)=>{if(c>i.seq)return ke(i,N);if(c<w||w===i.seq)return Te(x+1);let v=H.find(A=>A.seq<i.seq);return await xe(
()=>!v||!H.includes(v)),!0},Te=i=>{x=i,T=0;for(let c of H)c.lost&&W(c,Lt());He(H.filter(c=>c.write)),H=[],ce(),Oe()},He=i=>{
for(let c of i)c.write=void 0;B.unshift(...i)},De=(i,c)=>{if(Ur.test(c.code))return m(c);let w=H.filter(v=>v.seq>i.seq);
H=H.filter(v=>v.seq<=i.seq),He(w),K=!0,ke(i,c)},ke=(i,c)=>{H=H.filter(w=>w!==i),W(i,c),ce(),Oe()},W=(i,c)=>{i.write=void 0,
G-=i.size;for(let{resolve:w,reject:v,ignore:A}of i.entries)A?.(),typeof c=="string"?w(c):v(c)},m=i=>{L??=i,X?.(),ve?.();
let c=[...H,...B,...R?[R]:[]];H=[],B=[],R=void 0,C.abort(i);for(let w of c)W(w,i);Oe()},O={id:l,get pending(){return[...H,
...B,...R?[R]:[]].flatMap(Gt).length},append(i,{signal:c}={}){return Z?Promise.reject(new P("stream-closed","this produc\
er has closed the stream")):new Promise((w,v)=>{J=J.then(()=>Q(i,w,v,c)).catch(v)})},async write(i){if(L)throw L;O.append(
i).catch(c=>L??=c),await J,await I()},async flush(){if(await J,se(),await xe(()=>!R&&!B.length&&!H.length),L)throw L;return N},
close:i=>We({close:!0},i),fail:(i,c,w)=>We({close:!0,fail:{code:i,message:c}},w),async[Symbol.asyncDispose](){await O.flush().
finally(()=>m(Ae("the producer was disposed of")))}};return ve=j(n,m),O}var Ur,Gt,zt=S(()=>{"use strict";q();Se();$e();ae();
le();Ur=/^(producer-fenced|stream-closed|stream-gone)$/,Gt=({entries:e})=>e.flatMap(({bytes:t})=>t??[])});function Jt(e,t,r={}){let{code:n,detail:o,message:s,title:a,offset:d}=t;return new P(ct(n)??Br[e]??(e<500?"bad-answer":"\
internal"),ct(o??s??a)??`the server answered ${e}`,{status:e,retryable:qt(e),offset:ct(d),facts:t,...r})}async function Qt(e){
let{status:t,headers:r,url:n}=e,o=`${t} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let a=await e.
text().catch(()=>"");try{s={...JSON.parse(a)}}catch{a&&(s.detail=`${a.slice(0,200)}: ${o}`)}}for(let[a,d]of qr)s[d]??=r.
get(a)??void 0;return t===409&&s.expected!==void 0&&(s.code??="producer-gap"),t===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),t===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Jt(t,s,{retryAfter:Ft(r.get("retry-after"))})}function pe({
headers:e,status:t},r){let n=e.get("content-type")??"no type",o={content_type:n,protocol:e.has("stream-next-offset")};return new P(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:t,facts:o})}function Vt(e,t,r){let{issues:n,message:o=n?.
map(a=>a.message).join("; ")??String(e),facts:s=n?{issues:n}:{}}=Object(e);return new P("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:t,...s},cause:e})}function Yt(e){if(e.kind==="stream-error"){let{data:s}=e;return s instanceof
P?s:Jt(Number(s.status)||0,s)}let{kind:t,offset:r,code:n="",message:o=""}=e;return new P(t,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Br,ct,qr,ue,me=S(()=>{"use strict";q();Br={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},ct=e=>typeof e=="string"?e:void 0;qr=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];ue=(e,t="bad-answer")=>te(e,t,
"the answer cannot be read")});function ye(e){return new URL(e,globalThis.location?.href)}function lt(e,t){for(let[r,n]of Object.entries(t))n!==void 0&&
e.set(r,String(n))}async function je(e,t){let r=await e.send(t);if(r.response.ok)return r;throw await e.problem(r.response).
finally(r.release)}function Xt(e,t){let{headers:r}=e,n=async({method:s="GET",url:a,headers:d={},body:l},y)=>{let g=new Headers(
typeof r=="function"?await r():r);lt(g,d);let{credentials:u}=e;return(e.fetch??fetch)(a,{method:s,headers:g,body:l,credentials:u,
signal:y,cache:"no-store"})},o=async s=>{let a=new AbortController,{signal:d}=a,l=p=>a.abort(p),y=[e.signal,s.signal].map(
p=>j(p,l)),g=t.timer(s.limit,()=>l(new P("connect-timeout",`nothing came in ${s.limit} ms`))),u=()=>{g();for(let p of y)
p();a.abort()};try{let p=await new Promise((h,f)=>{j(d,f),n(s,d).then(h,f)});return p.ok&&g(),{response:p,signal:d,abort:l,
release:u}}catch(p){let h=pt(d,p);throw u(),h}};return{options:e,async send(s){let a=await o(s);return a.response.status!==
401||typeof r!="function"?a:(a.release(),o(s))}}}var pt,oe=S(()=>{"use strict";q();le();pt=(e,t)=>te(e.reason??t,"networ\
k","no answer")});function ut(e){let t=e.get("stream-failure");if(t!==null)return{code:t,message:decodeURIComponent(e.get("stream-failure-\
message")??"")}}function mt(e,t){let r=e.get("stream-next-offset")??t,n=ut(e);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function Zt(e,t,r){if(t.status===204)return mt(t.headers,r);throw pe(t,e)}var Me=S(()=>{
"use strict";me()});function er(e){let t=o=>e.get(o)??void 0,r=t("stream-ttl"),n=t("stream-expires-at");return{type:t("content-type")??"",offset:t(
"stream-next-offset")??"",earliest:t("stream-earliest-offset"),closed:t("stream-closed")==="true",failure:ut(e),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:t("stream-retention"),slow:t("stream-slow"),etag:t("etag")}}function tr(e,t,r){
let n=async(o,s,a,d)=>{let l=Be(e.options.retry).connect+(d?Fr:0),{response:y,release:g}=await je(e,{method:o,url:t(),headers:a,
body:d,signal:s,limit:l});if(g(),y.status!==204&&!y.headers.has("stream-next-offset"))throw pe(y,"what a stream's server\
 says");return y};return{async write({body:o,type:s,producer:a,close:d,fail:l,create:y},g){let[u,p,h]=a??[],f={...y,"str\
eam-create":y&&!0,"content-type":o||y?s:void 0,"producer-id":u,"producer-epoch":p,"producer-seq":h,"stream-closed":d||void 0,
"stream-failure":l?.code,"stream-failure-message":l?.message?encodeURIComponent(l.message):void 0};return{offset:(await n(
"POST",g,f,o)).headers.get("stream-next-offset")??""}},create:async(o,s,a)=>er((await n("PUT",a,o,s)).headers),async head(o){
try{return er((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>Ke(new URL(o,t()),e,r)}}var Fr,rr=S(()=>{"use strict";yt();me();oe();ae();Me();Fr=6e4});var nr={};nt(nr,{httpWrites:()=>tr,writerOf:()=>Lr});function Lr(e,t){let{environment:r,parts:n,retry:o,signal:s}=e,a,d=(p,h)=>It(
r,o,p??s,h),l=async()=>e.type??(await u.head())?.type??Le,y=async(p,h)=>{if(!e.codec)return Kt(p,h);let{encode:f}=await d(
void 0,()=>z(e.codec)),{framed:b}=await d(void 0,()=>U(n.frames));try{return b(f(p),h)}catch(x){throw te(x,"bad-record",
`it is no record of ${h}`)}},g=(p=!1)=>a??=u.producer({id:qe(),linger:0,create:p}),u={append:(p,h={})=>g(h.create).append(
p,h),producer:p=>_t(e,t,l,y,p),async create({type:p=e.type??Le,ttl:h,expiresAt:f,retention:b,slow:x,closed:E,records:C=[],
signal:T}={}){let k={"content-type":p,"stream-ttl":h,"stream-expires-at":f instanceof Date?f.toISOString():f,"stream-ret\
ention":b,"stream-slow":x,"stream-closed":E||void 0},R=await Promise.all(C.map(H=>y(H,p))),B=await d(T,()=>t.create(k,R.
length?Ne(R,p):void 0,T));return e.type=p,e.created=r.now(),{...B,type:B.type||p}},async head({signal:p}={}){let h=await d(
p,()=>t.head(p));return e.type=h?.type||e.type,h},close:p=>g().close(p),fail:(p,h,f)=>g().fail(p,h,f),async fork(p,h,{signal:f}={}){
let b=t.sibling(p),x=await b.writes(),E=new URL(t.sibling("").url).pathname;return await d(f,()=>x.create({"stream-forke\
d-from":E,"stream-fork-offset":h},void 0,f)),e.another(b)},async delete({signal:p}={}){await d(p,async h=>{try{await t.delete(
p)}catch(f){if(!h||f.code!=="stream-not-found")throw f}})}};return u}var or=S(()=>{"use strict";at();ie();q();Nt();zt();
$e();Y();M();rr()});function Ge(e){let t=JSON.parse(e);if(!Array.isArray(t))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:a,index:d}of e.matchAll(Ir)){if(a==='"'&&(n=!n),n)continue;let l=a==="["||a==="{";l?o+=1:(a==="]"||a==="}")&&(o-=1),l&&
o===1?s=d+1:(!o||o===1&&a===",")&&(r.push(e.slice(s,d).trim()),s=d+1)}return t.map((a,d)=>({raw:r[d]??"",value:a}))}var Ir,
wt=S(()=>{"use strict";Ir=/\\.|["[\]{},]/gs});function gt(e){if(e.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function _e(){let e=ft(),
t="\uFEFF",r="";return n=>{let o=e.decode(n,{stream:!0});if(!o)return[];o[0]===t&&(o=o.slice(1)),t=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),a=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=a,gt(r),s}}var ht=S(()=>{"use strict";M()});function ze(e="",t){let r=_e(),n;return o=>{let s=[];for(let a of r(o)){if(!a){n&&s.push({...n,id:e}),n=void 0;continue}
let d=a.indexOf(":"),l=d<0?a:a.slice(0,d),y=d<0?"":a.slice(d+(a[d+1]===" "?2:1)),g=n??{event:"",data:null,id:e};if(l==="\
data")g.data=g.data===null?y:`${g.data}
${y}`;else if(l==="event")g.event=y;else if(l==="id"&&!y.includes("\0"))e=y;else if(!t?.(l,y,g))continue;n=g,gt(n.data??
"")}return s}}var bt=S(()=>{"use strict";ht()});async function Je(e,{parts:t}){if(!/msgpack|protobuf/i.test(e))return n=>[n];let{split:r}=await U(t.frames);return n=>r(
n,e)}function Qe(e,t,r){if(!e.length)return[];try{return t(e).map(n=>it(n,r))}catch(n){throw ue(n,"truncated")}}var vt=S(
()=>{"use strict";ie();Y();me()});function we(e,t,r){return{...t,kind:e,offset:r,type:t.content_type,data:t}}var Ve=S(()=>{"use strict"});function Ye({response:e,signal:t,abort:r,release:n},o,s,a,d=37500){let l=e.body?.getReader(),y=Number(e.headers.get("str\
eam-heartbeat"))*1e3,g=s||2.5*y||d,u=1/0,p=!0,h=()=>o.now()-u,f=()=>r(new P("silent",`nothing came in ${h()} ms`,{facts:{
first:p}})),b=o.watch(x=>{x==="freeze"?r(new P("network","page freeze")):x!=="hidden"&&x!=="offline"&&h()>g*1.2/2.5&&f()});
return t.addEventListener("abort",()=>{l?.cancel().catch(()=>{})}),{async read(){let x=p&&a||g;u=o.now();let E=o.timer(x,
()=>{h()<x+1e3?f():E=o.timer(3e3,f)});try{let C=await l?.read();return p=!1,t.throwIfAborted(),C?.value}catch(C){throw pt(
t,C)}finally{u=1/0,E()}},release(){b(),n()}}}var xt=S(()=>{"use strict";q();oe()});function jr(e,{last:t,from:r,slow:n,missing:o},s){let a=new URL(e),d=t===void 0?{offset:r==="start"?"-1":r}:{last:t};return lt(
a.searchParams,{...d,slow:n,missing:o==="wait"?o:void 0,...s}),a.href}function Ot(e,t,r,n,o,s=0){let{signal:a,retry:d}=r;
return r.sent(),je(e,{url:jr(t,r,n),headers:{accept:o},signal:a,limit:d.connect+s})}async function*Mr(e,t,r,n){let{environment:o,
retry:s,first:a,parts:d}=n,{query:l,accept:y}=r,g=await Ot(e,t,n,l,y),{response:u}=g,{headers:p}=u,h=Ye(g,o,s.silence,a);
try{if(u.status===204||!p.get("content-type")?.startsWith(y))return yield(await U(d.rest)).inPlaceOf(y,u,n.from);yield{kind:"\
open"};let f=await r.parser(u,n),b=r.tailless;for(;;){let x=h.read();b&&await Kr(x,o)&&(b=!1,yield{kind:"quiet"});let E=await x;
if(!E)break;let C=[];try{f(E,C)}catch(T){throw(await U(d.rest)).unreadable(T)}C.length||(yield{kind:"beat"}),yield*C}throw new P(
"truncated","the answer was cut")}finally{h.release()}}function Xe(e,t){let{offset:r}=t,n=e.at(-1);n?.kind==="records"?(n.
records.push(t),n.offset=r):e.push({kind:"records",records:[t],offset:r,upToDate:!1})}function Ze(e,t){let r=e.at(-1);r?.
kind==="records"?r.upToDate=!0:e.push({kind:"up-to-date",offset:t})}var ge,Kr,Ce=S(()=>{"use strict";xt();q();Y();oe();ge=
e=>(t,r)=>({name:e.name,open:n=>Mr(t,r,e,n)});Kr=(e,t)=>new Promise(r=>{let n=t.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};e.
then(o,o)})});async function*_r(e){let t=!1;try{for await(let r of e)t||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!t||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var Gr,sr,ar=S(()=>{"use strict";ie();wt();M();bt();vt();
Ve();Ce();Gr=ge({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:e},t){
let{type:r,codec:n}=t,o=ze(),s=e.get("stream-sse-data-encoding")==="base64",a=await z(n),d=s?await Je(r??"",t):void 0,l=[],
y=u=>d?Qe(de(u),d,a):(r?F(r)==="json":u.startsWith("["))?Ge(u):u?[{raw:u}]:[],g=(u,p)=>{let{streamNextOffset:h,streamClosed:f,
streamFailure:b,streamError:x,streamDetached:E,streamGap:C}=u,T=u.upToDate===!0&&!f,k=(R,B)=>{B&&p.push(we(R,B,h))};k("s\
tream-gap",C),l.length?p.push({kind:"records",records:l,offset:h,upToDate:T}):C||k(T?"up-to-date":"beat",{}),l=[],b?k("s\
tream-failed",b):f?k("stream-closed",{}):x?k("stream-error",x):k("stream-detached",E)};return(u,p)=>{for(let{event:h,data:f}of o(
u))f!==null&&(h==="data"?l.push(...y(f)):h==="control"&&g(JSON.parse(f),p))}}});sr=(...e)=>{let{name:t,open:r}=Gr(...e);
return{name:t,open:n=>_r(r(n))}}});function Qr(e,t){let r=zr.exec(e);return r&&Object.keys(t).every(n=>Jr.test(n))?e.trimEnd().slice(r[0].length,-1):JSON.stringify(
t.data)}function Vr(e,t,r,n){let{offset:o,data:s,base64:a,at:d,by:l}=t,y=d===void 0?{offset:o}:{offset:o,known:{at:d,by:l}};
return a!==void 0?Object.assign(Fe(de(a),o,n),y):r?{raw:Qr(e,t),value:s,...y}:{raw:String(s),...y}}var zr,Jr,Yr,ir,dr=S(
()=>{"use strict";ie();ht();M();Ve();Ce();zr=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,Jr=/^(offset|at|by|data)$/;
Yr=e=>ge({name:"ndjson",accept:"application/x-ndjson",query:e,async parser(t,{type:r,codec:n}){let o=await z(n),s=_e(),a=F(
r)==="json";return(d,l)=>{for(let y of s(d)){if(!y.trim())continue;let g=JSON.parse(y),{offset:u,control:p}=g;p==="up-to\
-date"?Ze(l,u):p?l.push(we(`stream-${p}`,g,u)):Xe(l,Vr(y,g,a,o))}}}}),ir=(e,t)=>({name:"ndjson",open:r=>Yr(r.envelope?{envelope:1}:
{})(e,t).open(r)})});async function Zr(e,{environment:t,retry:r}){let n=Ye(e,t,r.silence),{headers:o,type:s}=e.response,a=[];try{for(let l=await n.
read();l;l=await n.read())a.push(l);let d=Ie(a);if(s!=="cors"&&!o.has("content-encoding")&&d.length<Number(o.get("conten\
t-length")))throw new P("truncated","the answer was cut");return d}finally{n.release()}}async function en(e,t,r){let n=F(
t);if(n==="bytes")return Qe(e,await Je(t,r),await z(r.codec));let o=$t(e);if(n==="text")return o?[{raw:o}]:[];try{return Ge(
o)}catch(s){throw ue(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*tn(e,t,r){let{live:n,missing:o}=r,{from:s,
last:a}=r,d,l=s==="now";for(;;){let y=n&&(l||o==="wait"),g={...r,from:s,last:a,...y?{}:{slow:void 0,missing:void 0}},u=await Ot(
e,t,g,{live:y?"long-poll":void 0,cursor:d},void 0,y?Xr:0),{response:p}=u,{headers:h,status:f}=p,b=h.get("stream-next-off\
set");if(b===null)throw u.release(),pe(p,"a page of a stream");let x=await Zr(u,r),E=h.get("content-type")??r.type??"",C=f===
204?[]:await en(x,E,r),T=h.get("stream-up-to-date")==="true"||f===204,k=T&&h.get("stream-closed")==="true",R=T&&!k;if(yield{
kind:"open",type:E},C.length?yield{kind:"records",records:C,offset:b,upToDate:R}:yield R?{kind:"up-to-date",offset:b}:{kind:"\
beat"},k&&(yield mt(h,b)),l&&(!C.length||b===s))break;l=T,s=b,a=void 0,d=h.get("stream-cursor")??void 0}yield{kind:"stre\
am-detached"}}var Xr,fr,cr=S(()=>{"use strict";xt();ie();q();$e();wt();M();me();vt();Me();Ce();Xr=6e4;fr=(e,t)=>({name:"\
long-poll",open:r=>tn(e,t,r)})});async function lr(e,t){let r=await z(t),n=o=>{let s=JSON.parse(o);return typeof s!="string"?de(s.base64):e?de(s):s};return(o,s)=>Fe(
n(o),s,r)}var pr=S(()=>{"use strict";ie();M()});var Et,Pt,et,Tt=S(()=>{"use strict";oe();Et=new Map,Pt=e=>`headwater:transport:${ye(e.url).origin}`,et=e=>{let t=Pt(e);try{
return Et.get(t)??Number(sessionStorage.getItem(t))}catch{return 0}}});function ur(e,t,r,n,o){let s=t.length===1&&t[0]==="auto",a=0,d=0,l=0,y=0,g=()=>a+1>=n.length,u=(f,b)=>{a=f,d=b,l=y=0},p=()=>{
let f=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===f[0]?!1:(n=e.transports(f,void 0,r),u(0,d),!0)},h=s?et(
e):0;return h>o&&u(n.length-1,h),{current(f){return d&&f>=d&&u(0,0),[n[a],!g()]},settle:()=>u(a,d),async after({code:f,facts:b},x){
let E=f==="bad-answer";return l=E?l+1:0,y=f==="truncated"?y+1:0,E&&b.protocol&&s&&p()?!0:g()?l<3:(((f==="silent"?b.first:
f==="connect-timeout"&&t.length===1&&await an(e))||l>=3||y>=nn)&&(u(n.length-1,x+rn),s&&sn(Pt(e),d)),!0)}}}function sn(e,t){
Et.set(e,t);try{sessionStorage.setItem(e,String(t))}catch{}}var rn,nn,on,an,mr=S(()=>{"use strict";oe();Tt();rn=30*6e4,nn=
3,on=1e3;an=async({requester:e,url:t})=>e?.send({url:ye(t).href,method:"HEAD",limit:on}).then(({release:r})=>(r(),!0),()=>!1)});var yr={};nt(yr,{badRecord:()=>Vt,choiceOf:()=>ur,inPlaceOf:()=>Zt,problemOf:()=>Qt,quoted:()=>lr,told:()=>Yt,transportOf:()=>fn,
unreadable:()=>ue});function fn(e){let t=dn[e];if(t)return t;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new P("unsupported",`the transport ${e} is not in the core; ${r}`)}var dn,
wr=S(()=>{"use strict";q();ar();dr();cr();me();Me();pr();mr();dn={ndjson:ir,"long-poll":fr,"live-sse":sr}});var gr={};nt(gr,{framed:()=>ln,isDelimited:()=>Rt,isMsgpack:()=>kt,split:()=>cn});function cn(e,t){if(!kt(t)&&!Rt(t))return[
e];let r=[];for(let n=0;n<e.length;){let[o,s]=kt(t)?[n,mn(e,n)]:pn(e,n);if(s>e.length)throw new RangeError("a record is \
cut");r.push(e.subarray(o,s)),n=s}return r}function ln(e,t){if(!Rt(t))return e;let r=[],n=e.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...e)}function pn(e,t){let r=0;for(let n=1;n<=128**4;n*=128){let o=e[t++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[t,1/0]:[t,t+r]}throw new RangeError("a length has more than 32 bits")}
function mn(e,t){let r=new DataView(e.buffer,e.byteOffset,e.byteLength),n=o=>{let s=o===0?r.getUint8(t):o===1?r.getUint16(
t):r.getUint32(t);return t+=1<<o,s};for(let o=1;o>0&&t<=e.length;o-=1){let s=n(0),a=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)a=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?a=n(s-196):s<202?a=n(s-199)+1:s<217?a=un[s-202]:s<220?a=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}t+=a}}return t}var kt,Rt,un,hr=S(()=>{"use strict";kt=e=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(e),Rt=
e=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(e);un=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});function br(e,t,r,n){let o,s=async()=>{let a=ne(t,e);for(;;){a.begin();try{return await n()}catch(d){let l=r?.aborted?null:
a.end({});if(l===null)throw o=void 0,r?.aborted?te(r.reason,"stopped","the signal was aborted"):d;await re(e,a,l,r)}}};return()=>o??=
s()}var At,U,vr,Y=S(()=>{"use strict";q();Se();ae();At={writing:()=>Promise.resolve().then(()=>(or(),nr)),rest:()=>Promise.resolve().then(()=>(wr(),yr)),
frames:()=>Promise.resolve().then(()=>(hr(),gr))},U=async(e,t)=>{try{return await e()}catch(r){throw new P("network",`im\
port(): ${r}`,{cause:r,retryAfter:t})}};vr=({rest:e})=>async t=>{let{problemOf:r}=await U(e,1e3*Number(t.headers.get("re\
try-after"))||0);return r(t)}});function wn(e=yn){let t=ze();return(r,n)=>{for(let{event:o,data:s,id:a}of t(r))s===null?a&&Ze(n,a):o.startsWith("stream-")?
n.push(we(o,JSON.parse(s),a)):Xe(n,e(s,a))}}var yn,xr,Or=S(()=>{"use strict";Y();M();bt();Ve();Ce();yn=(e,t)=>({raw:e,offset:t});
xr=ge({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:e},{type:t,parts:r,codec:n}){
let o=e.has("stream-sse-data-encoding");return wn(o||F(t)!=="json"?await(await U(r.rest)).quoted(o,n):void 0)}})});function Ke(e,t,r){let n=()=>ye(e).href,o=s=>({name:s,async*open(a){yield*(await U(r.rest)).transportOf(s)(t,n()).open(a)}});
return{url:String(e),transports(s,a,d){let l=[F(a)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(g=>g==="auto"?l:
g).map(g=>typeof g=="function"?g(t,n()):g!=="sse"?o(g):d?xr(t,n()):o("ndjson"))},requester:t,writes:async()=>(await U(r.
writing)).httpWrites(t,n,r)}}var yt=S(()=>{"use strict";Y();M();oe();Or()});var ot=globalThis;function Sr(e,t){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):t(),Math.min(o,2147483647))};
return n(e),()=>clearTimeout(r)}var Bt=()=>ot.document?.visibilityState==="hidden",Cr=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Wr(e){let t=({type:n,persisted:o})=>{n==="visibilitychange"?e(Bt()?
"hidden":"visible"):/^page/.test(n)?o&&e(n==="pagehide"?"freeze":"resume"):e(n)},r=n=>Cr.forEach(o=>ot[n]?.(o,t,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var st={now:()=>Date.now(),timer:Sr,random:()=>Math.random(),online:()=>ot.
navigator?.onLine!==!1,hidden:Bt,watch:Wr};q();yt();Y();at();function Er(e,t={}){let{id:r=qe()}=t,n,o=0,s=e({...t,id:r});s.then(l=>n=l,()=>{});let a=(l,y=0)=>(...g)=>(o+=y,s.then(
u=>u[l](...g))),d={id:r,get pending(){return n?n.pending:o},append:a("append",1),write:a("write",1),flush:a("flush"),close:a(
"close"),fail:a("fail"),writable:()=>new WritableStream({write:d.write,close:async()=>{await d.close()},abort:async l=>{
await d.fail("aborted",l&&String(l))}}),[Symbol.asyncDispose]:a(Symbol.asyncDispose)};return d}q();function Pr(){let e={};return{all:e,emit(t,r){for(let n of e[t]??[])n(r)},on(t,r){let n=e[t]??=new Set;return n.add(r),()=>n.
delete(r)}}}Y();Se();M();ae();le();Tt();var St=e=>!/^(start|now|-1)$/.test(e);function Tr(e,t){let{door:r,retry:n,environment:o}=e,{live:s=!0,
gone:a="throw",missing:d,checkpoint:l,transport:y=e.transport}=t,g=[].concat(y),u=ne(n,o),{emit:p,on:h}=Pr(),f=t.from??"\
start",b,x,E=new AbortController,C,T,k,R,B=l,H=!1,X=!1,G=[],N=0,L,Z,J,K,he=Promise.resolve(),ee=()=>new Promise(m=>k=m);
async function*be(m,O){try{for(;;){let i=he.then(()=>xe(m));he=i.catch(()=>{});let c=await i;if(!c)return;for(let w of O(
c))yield w}}finally{await V()}}let ve=m=>{let O=W[Symbol.asyncIterator]();return new ReadableStream({async pull(i){let c=await O.
next();c.done?i.close():i.enqueue(m(c.value))},cancel:()=>V()},{highWaterMark:0})},xe=async m=>{K!==void 0&&T?.kind!=="s\
topped"&&(W.offset=K,K=void 0,await l?.save(W.offset));let O=!1,i;if(!G[N]){let w=await Oe();if(!w)return;L=W.offset,{records:G,
offset:Z,upToDate:O,gap:i}=w,N=0,J=F(e.type)}let c=[];for(let w=G[N];w&&c.length<m;w=G[N]){let{raw:v,offset:A=G[N+1]?L:Z}=w;
try{let D=e.decode(v,typeof v=="string"?J:"bytes",w);c.push({data:D instanceof Promise?await D:D,offset:A,raw:v,...w.known}),
K=A,N+=1}catch(D){if(c.length){O=!1;break}N+=1;let _=await U(e.parts.rest).then(({badRecord:$})=>$(D,v,A),$=>$);throw await V(
"error",_),_}}return K??=f,{records:c,offset:K,upToDate:O,gap:i}},Oe=async()=>{let m=T?void 0:(await(C??=se()).next()).value;
if(!m&&T?.error)throw T.error;return m},I=m=>{m!==W.state&&p("state",W.state=m)},Q=(m,O,i,c)=>{T||(T={kind:m,offset:O,...i&&
{code:i.code,error:i},...c},W.lastError=i??W.lastError,W.transport=null,I("ended"),k(T))},V=async(m="stopped",O)=>{if(T)
return;Q(m,W.offset,O),E.abort();let i=C;C=void 0,await i?.return()};async function*se(){let m=[e.signal,t.signal].map(O=>j(
O,W.close));try{let O=await B?.load();for(B=void 0,O&&(f=W.offset=O);!T;)yield*tt()}finally{for(let O of m)O()}}async function*tt(){
let m=f,O,i=!1,c={};E=new AbortController,X=!1,R&&(yield R),R=void 0;try{I("connecting");for await(let v of await We()){
v.kind==="open"?O=o.now():v.kind!=="quiet"&&(i=!0);let D=(v.kind==="stream-error"||v.kind==="stream-failed")&&(await U(e.
parts.rest)).told(v);if(v.kind==="stream-error")throw D;if(v.kind==="stream-detached"){let $=Number(v.retry_after)*1e3;c=
{hint:$,personal:!0,planned:!$};break}let _=T?void 0:He(v);if(D&&Q("failed",f,D,D.facts),_&&(yield _),H&&Q("up-to-date",
f),T)break}}catch(v){if(!(v instanceof P))throw v;T||(c=await De(v,O,m))}finally{E.abort(),W.transport=null}let w=o.now();
T||await ke(X?u.held():u.end({up:w-(O??w),heard:i,...c}))}let We=async()=>{let m=o.now();b??=r.transports(g,e.type,s&&!t.
envelope),!x&&b[1]&&et(r)>m&&await ce();let[O,i]=x?.current(m)??b;return W.transport=O.name,O.open({...e,...t,live:s,from:f,
last:St(f)?void 0:t.last,first:i?3e3:void 0,signal:E.signal,sent:u.begin})},ce=async()=>x??=(await U(e.parts.rest)).choiceOf(
r,g,s,b,o.now()),rt=async(m,O,i)=>{let{code:c}=m;return c!=="network"&&(c!=="truncated"||!i&&O<1e3)?ce().then(w=>w.after(
m,o.now()),()=>!0):(x?.settle(),!0)},Ee=()=>{I("live"),H=!s},Pe=(m,O=!1)=>({records:m,offset:f,upToDate:O}),Te=m=>(p("ga\
p",m),{...Pe([]),gap:m}),He=m=>{let{kind:O,type:i,offset:c}=m,w=St(f);e.type||=i;let v=D=>!w||(D.offset??c)>f,A=m.kind===
"records"?m.records.filter(v):[];switch(c&&c!==f&&!(w&&c<f)&&(f=c,(w||O!=="up-to-date")&&u.progress()),m.kind){case"open":case"\
stream-created":return I("catching-up");case"stream-waiting":return I("absent");case"records":return m.upToDate&&Ee(),A.
length?Pe(A,m.upToDate):void 0;case"up-to-date":return Ee(),Pe([],!0);case"stream-gap":return Te({from:m.from,to:m.to,reason:m.
reason});case"stream-signal":case"stream-presence":return p("notice",{name:O.slice(7),data:m.data});case"stream-closed":
return Q("closed",f);default:W.state==="catching-up"&&w&&I("live")}},De=async(m,O,i)=>{let c=o.now(),{code:w,retryAfter:v}=m,
A=w==="stream-not-found";if(W.lastError=m,w==="stopped")Q("stopped",W.offset);else if(w==="offset-gone"&&a!=="throw"){let D=f;
f=a==="now"?a:String(m.facts.earliest??"start"),R=Te({from:D,to:f,reason:"gone"})}else{if(w==="stream-awaited")return{planned:!0};
if(A&&d==="wait")I("absent");else{if(A&&c-e.created<1e4)return{hint:v};if(m.retryable&&await rt(m,c-(O??c),f!==i))p("err\
or",m);else{let D=O!==void 0||St(f);Q((A||w==="stream-gone")&&D?"deleted":"error",W.offset,m)}}}return{hint:v}},ke=async m=>{
if(m===null){let c=W.lastError??new P("truncated","the answer was cut");Q("error",W.offset,c);return}let O=!o.online(),i=m;
o.hidden()&&u.count&&(i=Math.max(i,o.random()*n.cap)),O&&(i=Math.max(i,n.cap)),W.state!=="absent"&&i&&I(O?"offline":"wai\
ting"),E=new AbortController,await re(o,u,i,E.signal,(c,w)=>{W.retryAt=c,w==="offline"&&I(w)}),W.retryAt=null},W={state:"\
idle",offset:f,transport:null,get attempt(){return u.count},retryAt:null,lastError:null,end:ee(),on:h,[Symbol.asyncIterator]:()=>be(
1,({records:m})=>m),batches:()=>be(1/0,m=>[m]),readable:()=>ve(({data:m})=>m),bytes:()=>ve(({raw:m})=>typeof m=="string"?
fe(J==="json"?`${m}
`:m):m),skip(){T?.code==="bad-record"&&(T=void 0,W.end=ee(),I("idle"))},reconnect(){u.count=0,X=!0,E.abort(new P("networ\
k","reconnect()"))},close:()=>{V()},[Symbol.asyncDispose]:()=>V()};return W}M();oe();ae();function Ct(e){if(e instanceof Promise)return e.then(Ct);if(e.issues)throw e;return e.value}le();var Wt=()=>{throw new P("unsupported","needs headwater/connection")};function kr(e,t,r=-1/0){let{environment:n=st,decode:o,
schema:s,transport:a="auto",signal:d,parts:l=At}=t,y=Be(t.retry),g={...t,door:e,retry:y,environment:n,transport:a,parts:l,
created:r,another:f=>kr(f,t,n.now()),decode:(f,b,x)=>{let E=o?o(f):"value"in x?x.value:jt(f,b);return s?Ct(s["~standard"].
validate(E)):E}},u=br(n,y,d,async()=>(await U(l.writing)).writerOf(g,await e.writes())),p=(f,b)=>(...x)=>new Promise((E,C)=>{
let T=j(x[b]?.signal,C),k=R=>R[f](...x);u().finally(T).then(k).then(E,C)}),h={get url(){return e.url},get type(){return g.
type},[Symbol.asyncIterator]:()=>h.read()[Symbol.asyncIterator](),read:(f={})=>Tr(g,f),async all(f){let b=[];for await(let{
data:x}of h.read({...f,live:!1}))b.push(x);return b},append:p("append",1),producer:f=>Er(b=>u().then(x=>x.producer(b)),f),
create:p("create",0),head:p("head",0),close:p("close"),fail:p("fail"),fork:p("fork",2),delete:p("delete",0),...e.live??{
signal:Wt,signals:Wt,presence:Wt},sink:()=>g};return h}function Rr(e,t={}){let{environment:r=st,parts:n=At}=t;return kr(
Ke(e,{...Xt(t,r),problem:vr(n)},n),t)}export{Rr as stream};
