// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited.
var Rn=Object.defineProperty;var F=(t,e,r)=>()=>{if(r)throw r[0];try{return t&&(e=t(t=0)),e}catch(n){throw r=[n],n}};var Le=(t,e)=>{for(var r in e)Rn(t,r,{get:e[r],enumerable:!0})};function hr(t){let e=Number(t)*1e3||Date.parse(t??"")-Date.now();return Number.isFinite(e)?Math.max(0,e):void 0}var S,Wn,
Ye,he,Lt,Wt,oe,Xe,yr,M=F(()=>{"use strict";S=class extends Error{constructor(e,r,n={}){super(`${r} (${e})`,n);let{facts:o={},
retryable:s=Wn.test(e)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:e,facts:o,retryable:s})}},Wn=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
Ye=t=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(t)),he=(t,e,r)=>t instanceof S?t:new S(e,`${r}: ${t}`,{cause:t});Lt=t=>({
...t,message:t.message}),Wt=t=>Object.assign(new S(t.code,"",t),{message:t.message}),oe=(t,e)=>new S("stopped",t,e?{cause:e}:
{}),Xe=(t,e)=>new S("unknown-outcome",`it may have arrived: ${t}`,e?{cause:e}:{}),yr=()=>Xe("the server forgot this prod\
ucer")});function G(t,e){let r=()=>{let n=t?.reason;e(n instanceof S?n:oe("the signal was aborted",n))};return t?.addEventListener(
"abort",r),t?.aborted&&r(),()=>t?.removeEventListener("abort",r)}var ye=F(()=>{"use strict";M()});function ae(t,e,r,n,o,s){let i=[];return new Promise(a=>{let d,u=f=>{d=t.now()+f,i.push(t.timer(f,a,"pause")),o?.(d)};u(
r);let p=f=>{o?.(d,f),!(s||!/^(online|visible|resume)$/.test(f))&&(e.count=0,u(Math.max(f==="online"?t.random()*500:0,e.
held())))};i.push(G(n,()=>a()),t.watch(p))}).finally(()=>{for(let a of i)a()})}var Se=F(()=>{"use strict";ye()});function We(t){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...t===!1?{attempts:0}:
t}}function de({base:t,cap:e,stable:r,attempts:n,deadline:o},{now:s,random:i}){let a=[],d=!1,u,p=-1/0,f={count:0,begin(){
a=[...a.slice(-11),s()],u??=s(),d=!1},progress(){u=s(),f.count=0,d=!0,a=[]},held:()=>a.length<12?0:Math.max(0,a[0]+6e4-s()),
end({up:c=0,heard:y,planned:l,hint:O,personal:P}){let m=s(),g=c>=r&&y;g&&(f.count=0,u=m);let T=m-(u??m),b;return l&&(d||
g)?b=Math.max(0,p+1e3-m):d?b=i()*t:b=i()*Math.min(l?r:e,4*t+2*T,t*2**f.count++),l&&(p=m+b),O&&(b=Math.max(b,O*(P?1:1+.3*
i()))),b=Math.max(b,f.held()),f.count>n||b+T>o?null:b}};return f}var be=F(()=>{"use strict"});var He,Ze=F(()=>{"use strict";He=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function Ht(t,e){return!e||typeof t=="string"?{raw:t}:{raw:t,get value(){return e.decode(t)}}}var fe,Fe,ke=F(()=>{"use s\
trict";ee();fe=async t=>typeof t=="function"?U(async()=>t()):t;Fe=(t,e,r)=>Object.assign(Ht(t,r),{offset:e})});async function wr(t,e,r,n){let o=de(e,t),s=0;for(let i=!1;;i=!0)try{return o.begin(),await n(i)}catch(a){if(!(a instanceof
S)||!a.retryable||a.code==="bad-answer"&&(s+=1)>=3)throw a;let d=o.end({hint:a.retryAfter});if(d===null)throw a;await ae(
t,o,d,r,void 0,a.retryAfter!==void 0)}}var gr=F(()=>{"use strict";M();Se();be()});function br(t){let e="";for(let r of t)e+=String.fromCharCode(r);return btoa(e)}var et,J,we,Te,Dt,Re,vr,te=F(()=>{"use s\
trict";et="application/json",J=(t=et)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.test(t)?"json":/^\s*text\//i.test(t)?"\
text":"bytes",we=t=>Uint8Array.from(atob(t),e=>e.charCodeAt(0));Te=t=>new TextEncoder().encode(t),Dt=()=>new TextDecoder(
"utf-8",{ignoreBOM:!0}),Re=t=>Dt().decode(t),vr=(t,e)=>typeof t!="string"||e==="text"?t:e==="json"?JSON.parse(t):Te(t)});function Or(t,e){let r=J(e)==="json"?JSON.stringify(t):t;if(typeof r=="string")return Te(r);let{buffer:n=r,byteOffset:o,
byteLength:s}=Object(r);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new S("bad-record",`${typeof t} i\
s no record of ${e}`)}function tt(t){let e=new Uint8Array(t.reduce((n,o)=>n+o.length,0)),r=0;for(let n of t)e.set(n,r),r+=
n.length;return e}function rt(t,e){return J(e)!=="json"?tt(t):tt([...t.flatMap((r,n)=>[Te(n?",":"["),r]),Te("]")])}var xr,
nt=F(()=>{"use strict";M();te();xr=t=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(t)});function Pr({door:t,retry:e,environment:r,signal:n},o,s,i,a){let{id:d,linger:u=5,batchBytes:p=1<<20,bufferBytes:f=8<<20,
claim:c,create:y,idempotent:l=!0}=a,O=l?a.inFlight??5:1,{epoch:P=0}=a;if(!d||!(P>=0&&p>0&&O>0))throw new S("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let m=de(e,r),g=new AbortController,T=0,b,v,x=[],A=[],L,
N=0,k="",W,$,z=Promise.resolve(),D=!1,pe=!1,Q=-1/0,re=[],ne,ve=async h=>{for(;!h();)await new Promise(w=>re.push(w))},xe=()=>{
for(let h of re.splice(0))h()},Z=()=>ve(()=>{let h=N<f||W;return h||K(),h}),ce=async(h,w,R,C)=>{b??=await s();let B=await i(
h,b);if(await Z(),W)throw W;let _={bytes:B,resolve:w,reject:R};Y(_),_.ignore=G(C,me=>{let ie=v?.entries.indexOf(_)??-1;v&&
ie>=0?(v.entries.splice(ie,1),v.size-=B.length,N-=B.length,R(me)):R(oe("the signal was aborted; the record may arrive",C?.
reason))})},Y=h=>{let{bytes:w}=h,R=w?.length??0;return v&&w&&(!xr(b)||v.size+R>p)&&K(),v??={entries:[],size:0,seq:0,bad:0},
v.entries.push(h),v.size+=R,N+=R,L??=r.timer(u,K),v},K=()=>{L?.(),L=void 0,v?.entries.length&&x.push(v),v=void 0,X()},j=async(h,w)=>{
if(await z,W)throw W;b??=await s();let R=()=>{};return w!==void 0&&Y({bytes:await i(w,b),resolve:R,reject:R}),new Promise(
(C,B)=>{Y({resolve:C,reject:B}).close=h,K()})},I=(h,w)=>($??=j(h,w),$.catch(()=>$=void 0),$),X=()=>{D&&!A.length&&(D=!1,
P+=1,T=0);let h=()=>A.some(w=>!w.seq)||x[0]?.close&&A.length;for(;!D&&x.length&&A.length<O&&!h();){let w=x.shift();w.seq=
T++,w.lost=!1,A.push(w),je(w)}},je=async h=>{let w=kr(h),R={body:w.length?rt(w,b):void 0,type:b,producer:l?[d,P,h.seq]:void 0,
create:y?{}:void 0,...h.close};for(h.write=R;h.write===R;){let C=Math.min(...A.map(B=>B.seq));(!t.live||h.seq===C)&&m.begin();
try{let{offset:B}=await o.write(R,g.signal);if(h.write!==R)return;m.progress(),B>k&&(k=B),_e(h,B);return}catch(B){if(h.write!==
R||!await Oe(h,B,C))return}}},Oe=async(h,w,R)=>{let{code:C,facts:B,message:_,retryable:me,retryAfter:ie,status:lr}=w;if(me&&
!l&&lr===void 0)return ue(h,Xe(_,w));if(me&&!(C==="bad-answer"&&++h.bad>=3)){let ze=r.now();if(h.lost=!0,ze>=Q){let ur=m.
end({hint:ie});if(ur===null)return E(Xe(_,w));Q=ze+ur}return await ae(r,m,Q-ze,g.signal,void 0,ie!==void 0),Q=Math.min(Q,
r.now()),!0}return C==="producer-gap"?se(h,Number(B.expected??B.expected_seq),R):C==="producer-fenced"&&c?V(Number(B.epoch??
P)+1):lr===404&&y&&!pe?(pe=!0,o.create({"content-type":b},void 0,g.signal).then(()=>!0,ze=>Oe(h,ze,R))):ue(h,w)},se=async(h,w,R)=>{
if(w>h.seq)return _e(h,k);if(w<R||R===h.seq)return V(P+1);let C=A.find(B=>B.seq<h.seq);return await ve(()=>!C||!A.includes(
C)),!0},V=h=>{P=h,T=0;for(let w of A)w.lost&&q(w,yr());le(A.filter(w=>w.write)),A=[],X(),xe()},le=h=>{for(let w of h)w.write=
void 0;x.unshift(...h)},ue=(h,w)=>{if(Fn.test(w.code))return E(w);let R=A.filter(C=>C.seq>h.seq);A=A.filter(C=>C.seq<=h.
seq),le(R),D=!0,_e(h,w)},_e=(h,w)=>{A=A.filter(R=>R!==h),q(h,w),X(),xe()},q=(h,w)=>{h.write=void 0,N-=h.size;for(let{resolve:R,
reject:C,ignore:B}of h.entries)B?.(),typeof w=="string"?R(w):C(w)},E=h=>{W??=h,L?.(),ne?.();let w=[...A,...x,...v?[v]:[]];
A=[],x=[],v=void 0,g.abort(h);for(let R of w)q(R,h);xe()},H={id:d,get pending(){return[...A,...x,...v?[v]:[]].flatMap(kr).
length},append(h,{signal:w}={}){return $?Promise.reject(new S("stream-closed","this producer has closed the stream")):new Promise(
(R,C)=>{z=z.then(()=>ce(h,R,C,w)).catch(C)})},async write(h){if(W)throw W;H.append(h).catch(w=>W??=w),await z,await Z()},
async flush(){if(await z,K(),await ve(()=>!v&&!x.length&&!A.length),W)throw W;return k},close:h=>I({close:!0},h),fail:(h,w,R)=>I(
{close:!0,fail:{code:h,message:w}},R),async[Symbol.asyncDispose](){await H.flush().finally(()=>E(oe("the producer was di\
sposed of")))}};return ne=G(n,E),H}var Fn,kr,Er=F(()=>{"use strict";M();Se();nt();be();ye();Fn=/^(producer-fenced|stream-closed|stream-gone)$/,
kr=({entries:t})=>t.flatMap(({bytes:e})=>e??[])});function Sr(t,e,r={}){let{code:n,detail:o,message:s,title:i,offset:a}=e;return new S(Ut(n)??Dn[t]??(t<500?"bad-answer":"\
internal"),Ut(o??s??i)??`the server answered ${t}`,{status:t,retryable:Ye(t),offset:Ut(a),facts:e,...r})}async function Tr(t){
let{status:e,headers:r,url:n}=t,o=`${e} for ${n}`,s={};if(/json|^text\/plain/.test(r.get("content-type")??"")){let i=await t.
text().catch(()=>"");try{s={...JSON.parse(i)}}catch{i&&(s.detail=`${i.slice(0,200)}: ${o}`)}}for(let[i,a]of Un)s[a]??=r.
get(i)??void 0;return e===409&&s.expected!==void 0&&(s.code??="producer-gap"),e===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),e===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,Sr(e,s,{retryAfter:hr(r.get("retry-after"))})}function De({
headers:t,status:e},r){let n=t.get("content-type")??"no type",o={content_type:n,protocol:t.has("stream-next-offset")};return new S(
"bad-answer",`the server answered ${n} in place of ${r}`,{status:e,facts:o})}function Rr(t,e,r){let{issues:n,message:o=n?.
map(i=>i.message).join("; ")??String(t),facts:s=n?{issues:n}:{}}=Object(t);return new S("bad-record",`a record was refus\
ed: ${o}`,{offset:r,facts:{raw:e,...s},cause:t})}function Ar(t){if(t.kind==="stream-error"){let{data:s}=t;return s instanceof
S?s:Sr(Number(s.status)||0,s)}let{kind:e,offset:r,code:n="",message:o=""}=t;return new S(e,`the stream failed: ${n} ${o}`.
trim(),{offset:r,facts:{code:n,message:o}})}var Dn,Ut,Un,Ue,Be=F(()=>{"use strict";M();Dn={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},Ut=t=>typeof t=="string"?t:void 0;Un=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];Ue=(t,e="bad-answer")=>he(t,e,
"the answer cannot be read")});function Pe(t){return new URL(t,globalThis.location?.href)}function Bt(t,e){for(let[r,n]of Object.entries(e))n!==void 0&&
t.set(r,String(n))}async function ot(t,e){let r=await t.send(e);if(r.response.ok)return r;throw await t.problem(r.response).
finally(r.release)}function st(t,e){let{headers:r}=t,n=async({method:s="GET",url:i,headers:a={},body:d},u)=>{let p=new Headers(
typeof r=="function"?await r():r);Bt(p,a);let{credentials:f}=t;return(t.fetch??fetch)(i,{method:s,headers:p,body:d,credentials:f,
signal:u,cache:"no-store"})},o=async s=>{let i=new AbortController,{signal:a}=i,d=c=>i.abort(c),u=[t.signal,s.signal].map(
c=>G(c,d)),p=e.timer(s.limit,()=>d(new S("connect-timeout",`nothing came in ${s.limit} ms`))),f=()=>{p();for(let c of u)
c();i.abort()};try{let c=await new Promise((y,l)=>{G(a,l),n(s,a).then(y,l)});return c.ok&&p(),{response:c,signal:a,abort:d,
release:f}}catch(c){let y=Nt(a,c);throw f(),y}};return{options:t,async send(s){let i=await o(s);return i.response.status!==
401||typeof r!="function"?i:(i.release(),o(s))}}}var Nt,ge=F(()=>{"use strict";M();ye();Nt=(t,e)=>he(t.reason??e,"networ\
k","no answer")});function It(t){let e=t.get("stream-failure");if(e!==null)return{code:e,message:decodeURIComponent(t.get("stream-failure-\
message")??"")}}function qt(t,e){let r=t.get("stream-next-offset")??e,n=It(t);return n?{kind:"stream-failed",offset:r,...n}:
{kind:"stream-closed",offset:r}}function Cr(t,e,r){if(e.status===204)return qt(e.headers,r);throw De(e,t)}var it=F(()=>{
"use strict";Be()});function Lr(t){let e=o=>t.get(o)??void 0,r=e("stream-ttl"),n=e("stream-expires-at");return{type:e("content-type")??"",offset:e(
"stream-next-offset")??"",earliest:e("stream-earliest-offset"),closed:e("stream-closed")==="true",failure:It(t),ttl:r?Number(
r):void 0,expiresAt:n?new Date(n):void 0,retention:e("stream-retention"),slow:e("stream-slow"),etag:e("etag")}}function Wr(t,e,r){
let n=async(o,s,i,a)=>{let d=We(t.options.retry).connect+(a?Bn:0),{response:u,release:p}=await ot(t,{method:o,url:e(),headers:i,
body:a,signal:s,limit:d});if(p(),u.status!==204&&!u.headers.has("stream-next-offset"))throw De(u,"what a stream's server\
 says");return u};return{async write({body:o,type:s,producer:i,close:a,fail:d,create:u},p){let[f,c,y]=i??[],l={...u,"str\
eam-create":u&&!0,"content-type":o||u?s:void 0,"producer-id":f,"producer-epoch":c,"producer-seq":y,"stream-closed":a||void 0,
"stream-failure":d?.code,"stream-failure-message":d?.message?encodeURIComponent(d.message):void 0};return{offset:(await n(
"POST",p,l,o)).headers.get("stream-next-offset")??""}},create:async(o,s,i)=>Lr((await n("PUT",i,o,s)).headers),async head(o){
try{return Lr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>at(new URL(o,e()),t,r)}}var Bn,Hr=F(()=>{"use strict";$t();Be();ge();be();it();Bn=6e4});var Fr={};Le(Fr,{httpWrites:()=>Wr,writerOf:()=>Nn});function Nn(t,e){let{environment:r,parts:n,retry:o,signal:s}=t,i,a=(c,y)=>wr(
r,o,c??s,y),d=async()=>t.type??(await f.head())?.type??et,u=async(c,y)=>{if(!t.codec)return Or(c,y);let{encode:l}=await a(
void 0,()=>fe(t.codec)),{framed:O}=await a(void 0,()=>U(n.frames));try{return O(l(c),y)}catch(P){throw he(P,"bad-record",
`it is no record of ${y}`)}},p=(c=!1)=>i??=f.producer({id:He(),linger:0,create:c}),f={append:(c,y={})=>p(y.create).append(
c,y),producer:c=>Pr(t,e,d,u,c),async create({type:c=t.type??et,ttl:y,expiresAt:l,retention:O,slow:P,closed:m,records:g=[],
signal:T}={}){let b={"content-type":c,"stream-ttl":y,"stream-expires-at":l instanceof Date?l.toISOString():l,"stream-ret\
ention":O,"stream-slow":P,"stream-closed":m||void 0},v=await Promise.all(g.map(A=>u(A,c))),x=await a(T,()=>e.create(b,v.
length?rt(v,c):void 0,T));return t.type=c,t.created=r.now(),{...x,type:x.type||c}},async head({signal:c}={}){let y=await a(
c,()=>e.head(c));return t.type=y?.type||t.type,y},close:c=>p().close(c),fail:(c,y,l)=>p().fail(c,y,l),async fork(c,y,{signal:l}={}){
let O=e.sibling(c),P=await O.writes(),m=new URL(e.sibling("").url).pathname;return await a(l,()=>P.create({"stream-forke\
d-from":m,"stream-fork-offset":y},void 0,l)),t.another(O)},async delete({signal:c}={}){await a(c,async y=>{try{await e.delete(
c)}catch(l){if(!y||l.code!=="stream-not-found")throw l}})}};return f}var Dr=F(()=>{"use strict";Ze();ke();M();gr();Er();
nt();ee();te();Hr()});function Ne(t){let e=JSON.parse(t);if(!Array.isArray(e))throw new SyntaxError("no JSON array");let r=[],n=!1,o=0,s=0;for(let{
0:i,index:a}of t.matchAll(In)){if(i==='"'&&(n=!n),n)continue;let d=i==="["||i==="{";d?o+=1:(i==="]"||i==="}")&&(o-=1),d&&
o===1?s=a+1:(!o||o===1&&i===",")&&(r.push(t.slice(s,a).trim()),s=a+1)}return e.map((i,a)=>({raw:r[a]??"",value:i}))}var In,
dt=F(()=>{"use strict";In=/\\.|["[\]{},]/gs});function Mt(t){if(t.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function ft(){let t=Dt(),
e="\uFEFF",r="";return n=>{let o=t.decode(n,{stream:!0});if(!o)return[];o[0]===e&&(o=o.slice(1)),e=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),i=s.pop();return s.length&&(s[0]=r+s[0],r=""),r+=i,Mt(r),s}}var jt=F(()=>{"use strict";te()});function ct(t="",e){let r=ft(),n;return o=>{let s=[];for(let i of r(o)){if(!i){n&&s.push({...n,id:t}),n=void 0;continue}
let a=i.indexOf(":"),d=a<0?i:i.slice(0,a),u=a<0?"":i.slice(a+(i[a+1]===" "?2:1)),p=n??{event:"",data:null,id:t};if(d==="\
data")p.data=p.data===null?u:`${p.data}
${u}`;else if(d==="event")p.event=u;else if(d==="id"&&!u.includes("\0"))t=u;else if(!e?.(d,u,p))continue;n=p,Mt(n.data??
"")}return s}}var _t=F(()=>{"use strict";jt()});async function lt(t,{parts:e}){if(!/msgpack|protobuf/i.test(t))return n=>[n];let{split:r}=await U(e.frames);return n=>r(
n,t)}function ut(t,e,r){if(!t.length)return[];try{return e(t).map(n=>Ht(n,r))}catch(n){throw Ue(n,"truncated")}}var zt=F(
()=>{"use strict";ke();ee();Be()});function Ie(t,e,r){return{...e,kind:t,offset:r,type:e.content_type,data:e}}var pt=F(()=>{"use strict"});function mt({response:t,signal:e,abort:r,release:n},o,s,i,a=37500){let d=t.body?.getReader(),u=Number(t.headers.get("str\
eam-heartbeat"))*1e3,p=s||2.5*u||a,f=1/0,c=!0,y=()=>o.now()-f,l=()=>r(new S("silent",`nothing came in ${y()} ms`,{facts:{
first:c}})),O=o.watch(P=>{P==="freeze"?r(new S("network","page freeze")):P!=="hidden"&&P!=="offline"&&y()>p*1.2/2.5&&l()});
return e.addEventListener("abort",()=>{d?.cancel().catch(()=>{})}),{async read(){let P=c&&i||p;f=o.now();let m=o.timer(P,
()=>{y()<P+1e3?l():m=o.timer(3e3,l)});try{let g=await d?.read();return c=!1,e.throwIfAborted(),g?.value}catch(g){throw Nt(
e,g)}finally{f=1/0,m()}},release(){O(),n()}}}var Gt=F(()=>{"use strict";M();ge()});function Mn(t,{last:e,from:r,slow:n,missing:o},s){let i=new URL(t),a=e===void 0?{offset:r==="start"?"-1":r}:{last:e};return Bt(
i.searchParams,{...a,slow:n,missing:o==="wait"?o:void 0,...s}),i.href}function Jt(t,e,r,n,o,s=0){let{signal:i,retry:a}=r;
return r.sent(),ot(t,{url:Mn(e,r,n),headers:{accept:o},signal:i,limit:a.connect+s})}async function*jn(t,e,r,n){let{environment:o,
retry:s,first:i,parts:a}=n,{query:d,accept:u}=r,p=await Jt(t,e,n,d,u),{response:f}=p,{headers:c}=f,y=mt(p,o,s.silence,i);
try{if(f.status===204||!c.get("content-type")?.startsWith(u))return yield(await U(a.rest)).inPlaceOf(u,f,n.from);yield{kind:"\
open"};let l=await r.parser(f,n),O=r.tailless;for(;;){let P=y.read();O&&await _n(P,o)&&(O=!1,yield{kind:"quiet"});let m=await P;
if(!m)break;let g=[];try{l(m,g)}catch(T){throw(await U(a.rest)).unreadable(T)}g.length||(yield{kind:"beat"}),yield*g}throw new S(
"truncated","the answer was cut")}finally{y.release()}}function ht(t,e){let{offset:r}=e,n=t.at(-1);n?.kind==="records"?(n.
records.push(e),n.offset=r):t.push({kind:"records",records:[e],offset:r,upToDate:!1})}function yt(t,e){let r=t.at(-1);r?.
kind==="records"?r.upToDate=!0:t.push({kind:"up-to-date",offset:e})}var Ae,_n,Ge=F(()=>{"use strict";Gt();M();ee();ge();
Ae=t=>(e,r)=>({name:t.name,open:n=>jn(e,r,t,n)});_n=(t,e)=>new Promise(r=>{let n=e.timer(1e3,()=>r(!0)),o=()=>{n(),r(!1)};
t.then(o,o)})});async function*Kn(t){let e=!1;try{for await(let r of t)e||=r.kind!=="open"&&(r.kind!=="beat"||"offset"in r),yield r}catch(r){
if(!e||r.code!=="truncated")throw r;yield{kind:"stream-detached"}}}var zn,Ur,Br=F(()=>{"use strict";ke();dt();te();_t();
zt();pt();Ge();zn=Ae({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:t},e){
let{type:r,codec:n}=e,o=ct(),s=t.get("stream-sse-data-encoding")==="base64",i=await fe(n),a=s?await lt(r??"",e):void 0,d=[],
u=f=>a?ut(we(f),a,i):(r?J(r)==="json":f.startsWith("["))?Ne(f):f?[{raw:f}]:[],p=(f,c)=>{let{streamNextOffset:y,streamClosed:l,
streamFailure:O,streamError:P,streamDetached:m,streamGap:g}=f,T=f.upToDate===!0&&!l,b=(v,x)=>{x&&c.push(Ie(v,x,y))};b("s\
tream-gap",g),d.length?c.push({kind:"records",records:d,offset:y,upToDate:T}):g||b(T?"up-to-date":"beat",{}),d=[],O?b("s\
tream-failed",O):l?b("stream-closed",{}):P?b("stream-error",P):b("stream-detached",m)};return(f,c)=>{for(let{event:y,data:l}of o(
f))l!==null&&(y==="data"?d.push(...u(l)):y==="control"&&p(JSON.parse(l),c))}}});Ur=(...t)=>{let{name:e,open:r}=zn(...t);
return{name:e,open:n=>Kn(r(n))}}});function Qt(t=Gn){let e=ct();return(r,n)=>{for(let{event:o,data:s,id:i}of e(r))s===null?i&&yt(n,i):o.startsWith("stream-")?
n.push(Ie(o,JSON.parse(s),i)):ht(n,t(s,i))}}var Gn,Nr,Vt=F(()=>{"use strict";ee();te();_t();pt();Ge();Gn=(t,e)=>({raw:t,
offset:e});Nr=Ae({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:t},{type:e,
parts:r,codec:n}){let o=t.has("stream-sse-data-encoding");return Qt(o||J(e)!=="json"?await(await U(r.rest)).quoted(o,n):
void 0)}})});function Vn(t,e){let r=Jn.exec(t);return r&&Object.keys(e).every(n=>Qn.test(n))?t.trimEnd().slice(r[0].length,-1):JSON.stringify(
e.data)}async function Ir({type:t,codec:e}){let r=await fe(e),n=J(t)==="json";return(o,s=JSON.parse(o))=>{let{offset:i,data:a,
base64:d,at:u,by:p}=s,f=u===void 0?{offset:i}:{offset:i,known:{at:u,by:p}};return d!==void 0?Object.assign(Fe(we(d),i,r),
f):n?{raw:Vn(o,s),value:a,...f}:{raw:String(a),...f}}}async function Xn(t){let e=await Ir(t);return r=>e(r)}var Jn,Qn,Yn,
qr,$r,Mr=F(()=>{"use strict";ke();jt();te();pt();Ge();Vt();Jn=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,
Qn=/^(offset|at|by|data)$/;Yn=t=>Ae({name:"ndjson",accept:"application/x-ndjson",query:t,async parser(e,r){let n=await Ir(
r),o=ft();return(s,i)=>{for(let a of o(s)){if(!a.trim())continue;let d=JSON.parse(a),{offset:u,control:p}=d;p==="up-to-d\
ate"?yt(i,u):p?i.push(Ie(`stream-${p}`,d,u)):ht(i,n(a,d))}}}}),qr=Ae({name:"sse",accept:"text/event-stream",query:{envelope:1},
tailless:!0,parser:async(t,e)=>Qt(await Xn(e))});$r=(t,e)=>({name:"ndjson",open:r=>Yn(r.envelope?{envelope:1}:{})(t,e).open(
r)})});async function eo(t,{environment:e,retry:r}){let n=mt(t,e,r.silence),o=[];try{for(let s=await n.read();s;s=await n.read())
o.push(s);return tt(o)}finally{n.release()}}function to({headers:t,type:e,url:r},{length:n},o){let s=n<Number(t.get("con\
tent-length"))&&!t.has("content-encoding"),i=r+n;if(!(!s||e==="cors"&&jr.get(o)===i))throw jr.set(o,i),new S("truncated",
"the answer was cut")}async function ro(t,e,r){let n=J(e);if(n==="bytes")return ut(t,await lt(e,r),await fe(r.codec));let o=Re(
t);if(n==="text")return o?[{raw:o}]:[];try{return Ne(o)}catch(s){throw Ue(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*no(t,e,r){
let{live:n,missing:o}=r,{from:s,last:i}=r,a,d=s==="now";for(;;){let u=n&&(d||o==="wait"),p={...r,from:s,last:i,...u?{}:{
slow:void 0,missing:void 0}},f=await Jt(t,e,p,{live:u?"long-poll":void 0,cursor:a},void 0,u?Zn:0),{response:c}=f,{headers:y,
status:l}=c,O=y.get("stream-next-offset");if(O===null)throw f.release(),De(c,"a page of a stream");let P=await eo(f,r);l!==
204&&to(c,P,t);let m=y.get("content-type")??r.type??"",g=l===204?[]:await ro(P,m,r),T=y.get("stream-up-to-date")==="true"||
l===204,b=T&&y.get("stream-closed")==="true",v=T&&!b;if(yield{kind:"open",type:m},g.length?yield{kind:"records",records:g,
offset:O,upToDate:v}:yield v?{kind:"up-to-date",offset:O}:{kind:"beat"},b&&(yield qt(y,O)),d&&(!g.length||O===s))break;d=
T,s=O,i=void 0,a=y.get("stream-cursor")??void 0}yield{kind:"stream-detached"}}var Zn,jr,_r,zr=F(()=>{"use strict";Gt();ke();
M();nt();dt();te();Be();zt();it();Ge();Zn=6e4;jr=new WeakMap;_r=(t,e)=>({name:"long-poll",open:r=>no(t,e,r)})});async function Kr(t,e){let r=await fe(e),n=o=>{let s=JSON.parse(o);return typeof s!="string"?we(s.base64):t?we(s):s};return(o,s)=>Fe(
n(o),s,r)}var Gr=F(()=>{"use strict";ke();te()});var Yt,Xt,wt,Zt=F(()=>{"use strict";ge();Yt=new Map,Xt=t=>`headwater:transport:${Pe(t.url).origin}`,wt=t=>{let e=Xt(t);try{
return Yt.get(e)??Number(sessionStorage.getItem(e))}catch{return 0}}});function Jr(t,e,r,n,o){let s=e.length===1&&e[0]==="auto",i=0,a=0,d=0,u=0,p=()=>i+1>=n.length,f=(l,O)=>{i=l,a=O,d=u=0},c=()=>{
let l=r?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===l[0]?!1:(n=t.transports(l,void 0,r),f(0,a),!0)},y=s?wt(
t):0;return y>o&&f(n.length-1,y),{current(l){return a&&l>=a&&f(0,0),[n[i],!p()]},settle:()=>f(i,a),async after({code:l,facts:O},P){
let m=l==="bad-answer";return d=m?d+1:0,u=l==="truncated"?u+1:0,m&&O.protocol&&s&&c()?!0:p()?d<3:(((l==="silent"?O.first:
l==="connect-timeout"&&e.length===1&&await fo(t))||d>=3||u>=so)&&(f(n.length-1,P+oo),s&&ao(Xt(t),a)),!0)}}}function ao(t,e){
Yt.set(t,e);try{sessionStorage.setItem(t,String(e))}catch{}}var oo,so,io,fo,Qr=F(()=>{"use strict";ge();Zt();oo=30*6e4,so=
3,io=1e3;fo=async({requester:t,url:e})=>t?.send({url:Pe(e).href,method:"HEAD",limit:io}).then(({release:r})=>(r(),!0),()=>!1)});var Vr={};Le(Vr,{badRecord:()=>Rr,choiceOf:()=>Jr,inPlaceOf:()=>Cr,problemOf:()=>Tr,quoted:()=>Kr,told:()=>Ar,transportOf:()=>lo,
unreadable:()=>Ue});function lo(t){let e=co[t];if(e)return e;let r='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new S("unsupported",`the transport ${t} is not in the core; ${r}`)}var co,
Yr=F(()=>{"use strict";M();Br();Mr();zr();Be();it();Gr();Qr();co={sse:qr,ndjson:$r,"long-poll":_r,"live-sse":Ur}});var Xr={};Le(Xr,{framed:()=>po,isDelimited:()=>tr,isMsgpack:()=>er,split:()=>uo});function uo(t,e){if(!er(e)&&!tr(e))return[
t];let r=[];for(let n=0;n<t.length;){let[o,s]=er(e)?[n,yo(t,n)]:mo(t,n);if(s>t.length)throw new RangeError("a record is \
cut");r.push(t.subarray(o,s)),n=s}return r}function po(t,e){if(!tr(e))return t;let r=[],n=t.length;for(;n>127;n=Math.floor(
n/128))r.push(n%128+128);return Uint8Array.of(...r,n,...t)}function mo(t,e){let r=0;for(let n=1;n<=128**4;n*=128){let o=t[e++]??
NaN;if(r+=o%128*n,!(o>127))return Number.isNaN(o)?[e,1/0]:[e,e+r]}throw new RangeError("a length has more than 32 bits")}
function yo(t,e){let r=new DataView(t.buffer,t.byteOffset,t.byteLength),n=o=>{let s=o===0?r.getUint8(e):o===1?r.getUint16(
e):r.getUint32(e);return e+=1<<o,s};for(let o=1;o>0&&e<=t.length;o-=1){let s=n(0),i=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)i=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?i=n(s-196):s<202?i=n(s-199)+1:s<217?i=ho[s-202]:s<220?i=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}e+=i}}return e}var er,tr,ho,Zr=F(()=>{"use strict";er=t=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(t),tr=
t=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(t);ho=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});function qe(t,e,r,n){let o,s=async()=>{let i=de(e,t);for(;;){i.begin();try{return await n()}catch(a){let d=r?.aborted?null:
i.end({});if(d===null)throw o=void 0,r?.aborted?he(r.reason,"stopped","the signal was aborted"):a;await ae(t,i,d,r)}}};return()=>o??=
s()}var Je,U,gt,ee=F(()=>{"use strict";M();Se();be();Je={writing:()=>Promise.resolve().then(()=>(Dr(),Fr)),rest:()=>Promise.resolve().then(()=>(Yr(),Vr)),
frames:()=>Promise.resolve().then(()=>(Zr(),Xr))},U=async(t,e)=>{try{return await t()}catch(r){throw new S("network",`im\
port(): ${r}`,{cause:r,retryAfter:e})}};gt=({rest:t})=>async e=>{let{problemOf:r}=await U(t,1e3*Number(e.headers.get("re\
try-after"))||0);return r(e)}});function at(t,e,r){let n=()=>Pe(t).href,o=s=>({name:s,async*open(i){yield*(await U(r.rest)).transportOf(s)(e,n()).open(i)}});
return{url:String(t),transports(s,i,a,d){let u=[J(i)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(f=>f==="auto"?
u:f).map(f=>typeof f=="function"?f(e,n()):f!=="sse"?o(f):a?d?o(f):Nr(e,n()):o("ndjson"))},requester:e,writes:async()=>(await U(
r.writing)).httpWrites(e,n,r)}}var $t=F(()=>{"use strict";ee();te();ge();Vt()});function xt(t){try{let e=JSON.parse(t);return e.t.trim(),e}catch(e){throw he(e,"bad-answer","no message")}}function on(t,e){
let{r,at:n}=t;if(!r||n||!e.includes(`"r":${JSON.stringify(r)}`))return;let o=sr(t);return r.map((s,i)=>({value:s,raw:JSON.
stringify(s),offset:o[i]}))}var nn,$e,Qe,sr,Ee=F(()=>{"use strict";M();nn="headwater.v1+json";$e=({t,id:e})=>/^(end|drain)$/.
test(t)||t==="err"&&e!==void 0,Qe=({why:t})=>t==="closed"||t==="failed",sr=({o:t="",e=[]})=>[...e.map(r=>t.slice(0,t.length-
r.length)+r),t]});async function*wo(t,e,r,n){let{from:o,last:s,slow:i,missing:a,envelope:d,buffer:u=65536,signal:p}=r;r.sent();let f={from:o===
"start"?"-1":o,last:s,slow:i,missing:a==="wait"?a:void 0,envelope:d||void 0,window:u},c=[],y=0,l,O="",P,m,g,T=new Promise(
(k,W)=>g=W);T.catch(()=>{});let b=()=>U(e.parts.connectionRest),v=k=>x.reached===void 0?!1:((y>u*2||k>x.reached)&&(x.isBehind=
!0),!x.isBehind),x={wish:f,who:n,reached:void 0,last:void 0,isBehind:!1,end:void 0,get mark(){return x.isBehind?void 0:l},
put(k,W="",$=0,z=x.reached){c.push({told:k,text:W,mark:$}),x.reached=z,y+=W.length},counts:()=>l=t.got,letGo:()=>x.isBehind=
!0,lost(k){g(P??=k),m?.()},told(k,W,$,z){let{t:D,why:pe,o:Q=""}=k;if(D==="sub"){let{from:re=""}=k;O=k.type??"",x.reached!==
void 0?v(re):(x.put(k),x.reached=z||f.from==="now"?re:f.from,z||(x.last=f.last),x.isBehind=x.last!==void 0||x.reached!==
re,x.counts())}else if(D==="waiting"&&!f.missing)x.reached??=f.from,x.isBehind=!0;else if(D==="data")v($)&&x.put(k,W,t.got,
Q);else if(D==="gap"){let{to:re="",o:ne=re}=k;pe==="slow"&&(f.slow??"replay")==="replay"?v(ne):v($)&&x.put({from:$,...k},
"",0,ne)}else $e(k)?(x.end??=k,Qe(k)&&v(Q)):/^(live|waiting)$/.test(D)&&!x.isBehind&&x.put(k);m?.()}},A=async({told:k,text:W})=>{
let{t:$,o:z}=k;if($==="sub")return{kind:"open",type:O};if($==="live")return{kind:"up-to-date",offset:z};let D=$==="data"&&
J(O)==="json"&&on(k,W);return D?{kind:"records",records:D,offset:z,upToDate:!1}:(await b()).wireOf(x,r,k,W,J(O))},L=G(p,
x.lost),N=t.wish&&await b();p.aborted||t.attach(x,N);try{for(;;){let k=c[0];if(k)yield await A(k),c.shift(),y-=k.text.length,
k.mark&&(l=k.mark,t.settle());else if(x.end&&!(Qe(x.end)&&x.isBehind))yield await A({told:x.end,text:""});else{if(P)throw P;
x.isBehind?await Promise.race([b().then(W=>W.catchUp(x,t,e,r)),T]):(t.starve(),await new Promise(W=>m=W))}}}finally{L(),
t.detach(x)}}var an,dn=F(()=>{"use strict";ee();te();ye();Ee();an=(t,e)=>{let r={name:"websocket",open:n=>wo(t(),e,n,r)};
return r}});function fn(t,e){let{environment:r,retry:n,signal:o,parts:s}=e,i,a=qe(r,n,o,async()=>p.of(await U(s.connectionRest))),d=()=>[],
u=f=>{if(i)return f(i);let c,y=a().then(O=>c=f(O)),l=O=>c?O(c):void y.then(O,d);return{get members(){return c?.members??
[]},get count(){return c?.count??0},set:O=>l(P=>P.set(O)),leave:()=>l(O=>O.leave()),async*[Symbol.asyncIterator](){yield*await y.
catch(d)}}},p={of:({Live:f})=>i??=new f(t,e),door:{signal:(...f)=>{a().then(c=>c.signal(...f),d)},signals:()=>u(f=>f.signals()),
presence:f=>u(c=>c.presence(f))}};return p}function Ot(t,e){return{get url(){return new URL(t.split("/").map(encodeURIComponent).
join("/"),e.root).href},live:e.of(t).live.door,transports:r=>r.map(n=>{if(n==="auto"||n==="websocket")return an(()=>e.of(
t).feed,e);throw new S("unsupported",`a connection does not read by ${String(n)}`)}),async writes(){return(await U(e.parts.
connectionWrites)).connectionWrites(t,this.url,e)}}}var cn,ir=F(()=>{"use strict";M();ee();ge();dn();cn=t=>new URL(Pe(t).
href.replace(/^ws/,"http").replace(/[?#].*/,"").replace(/(\/-\/connect|\/)?$/,"/"))});function ln(t,e){let{retry:r,environment:n}=e,o=new Set,s=[],i=0,a=new AbortController,d=0,u,p,f,c=()=>{u?.(),p?.(),u=p=
void 0},y=g=>{f?.(),m.line?.leave(m),i+=1,m.wish=g,m.line=m.waiting=m.opened=void 0,m.isLive=!1,d=m.got,s.length=0},l=()=>{
let g=[...o];return c(),y(),o.clear(),g},O=g=>{c(),d=g;let T;for(;s[0]&&s[0][0]<=g;)T=s.shift()?.[1];T&&m.opened&&m.line?.
say({t:"ack",s:m.opened.s,o:T})},P=async(g,T,b)=>{try{let v=await e.line(b,a.signal);if(T!==i)return;m.line=v,f=n.timer(
r.connect,()=>{v.close(new S("silent",`nothing came in ${r.connect} ms`))}),v.follow(m,g.last===void 0?g:{...g,from:void 0})}catch(v){
T===i&&m.lost(v)}},m={path:t,position:"",opened:void 0,waiting:void 0,isLive:!1,wasLive:!1,got:0,line:void 0,wish:void 0,
attach(g,T){o.add(g),m.wish?T?.join(m,g):m.subscribe(g.wish,g.who)},detach(g){if(o.delete(g)){if(o.size)return m.settle();
l(),a.abort(oe("nobody reads it")),a=new AbortController}},settle(){let g=m.got;for(let{mark:T=1/0}of o)g=Math.min(g,T);
g!==d&&(c(),(g-d)*2>=m.wish.window?O(g):u=n.timer(1e3,()=>O(g)))},starve(){o.size<2||m.got-d<m.wish.window||(p??=n.timer(
1e3,()=>{p=void 0;for(let{mark:g=1/0,letGo:T}of o)g<m.got&&T?.();m.settle()}))},told(g,T){let{t:b,o:v}=g;if(!m.opened&&/^(data|live|gap)$/.
test(b))return;f?.();let x=m.position,A;b==="sub"?(m.opened=g,m.position=g.from??"",m.wish&&!m.line?.isFar&&(A=Me(m.wish))):
b==="waiting"?m.waiting=g:b==="live"?m.isLive=!0:b==="gap"?m.position=v??g.to??x:b==="data"&&(m.position=v??x,s.push([m.
got+=T.length,m.position]));let L=$e(g)?l():[...o];for(let N of L)N.told(g,T,x,Me(N.wish)===A);b==="data"&&m.settle()},lost(g){
let T=m.wish;if(g.facts.moved)m.subscribe(m.opened?{...T,from:m.position,last:void 0}:T);else for(let b of l())b.lost(g)},
subscribe(g,T){m.wasLive=(m.isLive||m.wasLive)&&g.from===m.position,y(g),P(g,i,T)}};return m}var Me,ar=F(()=>{"use stric\
t";M();Ee();Me=({from:t,last:e})=>e===void 0?t:`last ${e}`});var gn={};Le(gn,{connectionWrites:()=>go});function hn(t){let e={};for(let[r,n]of Object.entries(t))if(n!==void 0)if(r===
"stream-closed")e.closed=n;else if(mn[r])e[mn[r]]=n;else throw new S("unsupported",`a connection has no ${r}: use stream\
(url)`);return e}function yn(t,e){if(!t)return[{}];let r=J(e??"application/octet-stream");return r==="json"?[{},Re(t)]:r===
"text"?[{r:[Re(t)]}]:[{b:[br(t)]}]}function go(t,e,r){let n=async(o,s,i,a)=>(await r.line(void 0,i)).ask({t:o,path:t,...s},
a);return{async write({body:o,producer:s,close:i,fail:a,create:d,type:u},p){let f,c=i&&!a||void 0;if(o||d){let[y,l]=yn(o,
u),O=d&&(Object.keys(d).length?hn(d):!0);f=await n("append",{p:s,type:u,create:O,close:c,...y},p,l)}else c&&(f=await n("\
close",{p:s},p));return a&&(f=await n("fail",{...a,message:a.message??""},p)),{offset:f?.o??""}},async create(o,s,i){let a=String(
o["content-type"]??""),[d,u]=yn(s,a),p=await n("create",{...hn(o),...d},i,u);return wn({...p,type:a,tail:p.o??""})},async head(o){
try{return wn(await n("head",{},o))}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("delete",{},
o)},sibling(o){let s=new URL(o,e),{href:i,pathname:a}=r.root;if(!s.href.startsWith(i))throw new S("unsupported",`${s.href}\
 is not on this connection`);return Ot(decodeURIComponent(s.pathname.slice(a.length)),r)}}}function wn({type:t="",tail:e="",
earliest:r,closed:n,code:o,message:s="",ttl:i,expires_at:a,retention:d,slow:u}){let p=f=>f?String(f):void 0;return{type:t,
offset:e,earliest:p(r),closed:n===!0,failure:o?{code:o,message:s}:void 0,ttl:typeof i=="number"?i:void 0,expiresAt:a?new Date(
a):void 0,retention:p(d),slow:p(u),etag:void 0}}var mn,bn=F(()=>{"use strict";M();te();ir();mn={"content-type":"type","s\
tream-ttl":"ttl","stream-expires-at":"expires_at","stream-retention":"retention","stream-slow":"slow"}});var Ve,bo,kt,vn=F(()=>{"use strict";M();Se();be();ye();Et();Ve=class{#e=[];#n;#o;#t=!1;#r;constructor(e,r){this.#n=e,this.#r=
r}put(e){this.#e.push(e),this.#e.length>this.#n&&this.#e.shift(),this.#o?.()}end(){this.#t=!0,this.#o?.()}async*[Symbol.
asyncIterator](){try{for(;;){for(;!this.#e.length&&!this.#t;)await new Promise(e=>this.#o=e);if(!this.#e.length)return;yield this.#e.
shift()}}finally{this.#r()}}},bo=({from:t,to:e,topic:r,by:n,data:o})=>({from:t,to:e,topic:r,data:o,...n&&{by:n}}),kt=class{path;wish={
from:"now",missing:"wait",window:65536,signals:!0,presence:!0};who=this;mark;others=()=>!1;#e;#n;#o;#t=new Set;#r=new Set;#s=new Map;#a=0;#i=!0;#f;#c=!1;#d;#u;constructor(e,r){
this.path=e,this.#e=r,this.#n=r.environment,this.#o=r.retry,G(r.signal,()=>this.#m())}#l(){return this.#e.of(this.path).
feed}signal(e,r={}){let n={t:"signal",path:this.path,data:e,...r};this.#e.line(void 0).then(o=>o.say(n),()=>{})}signals(){
let e=new Ve(1e3,()=>this.#h(this.#t,e));return this.#y(this.#t,e)}presence(e){let r=new Ve(1,()=>this.#h(this.#r,r));this.#y(
this.#r,r),e!==void 0&&this.#w(e);let n=this;return{get members(){return[...n.#s.values()]},get count(){return n.#a},set:o=>this.#w(
o),leave:()=>{this.#f=void 0,this.others()||this.#l().line?.say({t:"here",path:this.path,state:null}),this.#h(this.#r,r),
r.end()},[Symbol.asyncIterator]:()=>r[Symbol.asyncIterator]()}}hold(){let e=this.#y(this.#r,new Ve(1,()=>{}));return()=>this.#h(
this.#r,e)}get roster(){return{t:"presence",count:this.#a,members:this.#i?[...this.#s.values()]:null}}get isMember(){return this.#f!==
void 0}#m(){for(let e of[...this.#t,...this.#r])e.end();this.#t.clear(),this.#r.clear(),this.#p(),this.#f=void 0,this.#u?.
abort()}#y(e,r){return e.add(r),this.#e.signal.aborted?this.#m():this.#u||(this.#u=new AbortController,this.#k(this.#u.signal)),
r}#h(e,r){e.delete(r),!(this.#t.size||this.#r.size)&&(this.#p(),this.#u?.abort(),this.#u=void 0,this.#d?.(oe("nobody lis\
tens")))}#p(){this.#s.clear(),this.#a=0,this.#i=!0}#w(e){this.#f={...this.#f,state:e},this.#c&&this.#g()}async#g(){if(this.#f)
try{let e=await this.#l().line?.ask({t:"here",path:this.path,...this.#f});e&&this.#f&&(this.#f={...this.#f,key:e.key,member:e.
member})}catch{}}async#k(e){let r=de(this.#o,this.#n);for(;!e.aborted;){let n=this.#n.now();r.begin();let o=await this.#P(
e);if(e.aborted||!o.retryable)return;let s=this.#n.now()-n,i=r.end({up:s,heard:s>0,hint:o.retryAfter,personal:!0});if(i===
null)return;await ae(this.#n,r,i,e,void 0,!0)}}async#P(e){let r=this.#l();try{return await new Promise(n=>{this.#d=n,e.addEventListener(
"abort",()=>n(e.reason),{once:!0}),r.attach(this,Ce)})}finally{r.detach(this),this.#d=void 0,this.#c=!1}}told(e){switch(e.
t){case"sub":return this.#c=!0,void this.#g();case"signal":for(let r of this.#t)r.put(bo(e));return;case"presence":return this.#x(
e);case"drain":return this.#d?.(new S("network","the server stops",{retryAfter:(e.after??0)*1e3}));case"err":return e.id===
void 0?void 0:this.#d?.(Pt(e));case"end":return this.#d?.(new S("network",`the stream is not read any more: ${String(e.why)}`,
{retryable:e.why==="detached"||e.why==="deleted"}))}}lost(e){this.#d?.(e)}#x(e){e.members!==void 0&&(this.#i=e.members!==
null,this.#s.clear());let r=[e.members,e.joined,e.changed].flatMap(o=>o??[]);for(let o of r)this.#s.set(o.id,o);for(let o of e.
left??[])this.#s.delete(o);let n=[...this.#s.values()];this.#a=e.count??n.length;for(let o of this.#r)o.put(n)}}});var Ce={};Le(Ce,{Live:()=>kt,catchUp:()=>So,errorOf:()=>Pt,greet:()=>St,join:()=>Po,recordsOf:()=>xn,refused:()=>vo,whyNot:()=>To,
wireOf:()=>ko});function xn(t,e,r,n){let o=sr(t),{at:s,by:i,b:a,r:d=[]}=t,u=c=>({offset:o[c]??"",...s&&{known:{at:s[c],by:i?.[c]??
void 0}}}),p=c=>r==="bytes"?we(c):Re(we(c));if(a)return a.map((c,y)=>Object.assign(Fe(p(c),"",n),u(y)));if(r==="text")return d.
map((c,y)=>({raw:c,...u(y)}));let f=Ne(e.slice(e.indexOf('"r":[')+4,s?e.lastIndexOf(',"at":['):e.lastIndexOf("]")+1));return d.
map((c,y)=>({value:c,raw:f[y]?.raw??"",...u(y)}))}function Pt(t){let{status:e=500,after:r,facts:n,code:o="internal",message:s,
advice:i}=t,a=t.detail??s;return new S(o,String(a),{status:e,retryable:Ye(e),retryAfter:r===void 0?void 0:r*1e3,offset:n?.
next_offset,facts:{...n,code:o,detail:a,advice:i}})}function vo(t,e,{environment:r,retry:n,access:o}){let s=t-4e3,i=new S(
/^[a-z][a-z-]*/.exec(e)?.[0]??"refused",e||`the server closed the connection: ${t}`,{status:s,retryable:!/^(40[013-6]|41[05])$/.
test(String(s)),facts:{close:t}}),a=r.now();return s!==401||!o.isFresh||a-o.refusedAt<n.stable?i:(o.refusedAt=a,new S("n\
etwork","access has ended; another token will be shown",{cause:i}))}function Oo({why:t="",o:e="",code:r="",message:n="",
after:o}){if(t==="closed")return{kind:"stream-closed",offset:e};if(t==="failed")return{kind:"stream-failed",offset:e,code:r,
message:n};if(t==="detached")return{kind:"stream-detached",retry_after:o??0,reason:t};if(t==="left")return{kind:"stream-\
detached",reason:t};let[s,i,a]=xo[t]??[500,"internal",""],d=s===404;return{kind:"stream-error",data:{status:s,code:!d&&r||
i,detail:!d&&n||a}}}async function ko(t,{codec:e},r,n,o){let{t:s,from:i="",to:a="",o:d=a,why:u,after:p=0,live:f}=r;return s===
"waiting"?{kind:"stream-waiting"}:s==="gap"?{kind:"stream-gap",from:i,to:a,offset:d,reason:u}:s==="drain"?{kind:"stream-\
detached",retry_after:p,reason:"stopping"}:s==="err"?{kind:"stream-error",data:Pt(r)}:s==="end"?Oo(r):(t.codec??=await fe(
e),{kind:"records",records:xn(r,n,o,t.codec),offset:d,upToDate:f===!0})}function St({opened:t,waiting:e,position:r,isLive:n},o){
t?(o.told({...t,from:r},"",r,o.wish.from==="now"),n&&o.told({t:"live",o:r},"",r,!1)):e&&o.told(e,"",r,!1)}function Po(t,e){
let r=t.wish,{wish:n}=e,o=r.presence||n.presence,s=r.envelope||n.envelope,a=!(t.isLive||t.wasLive||Me(r)==="now")&&Me(n)!==
Me(r)&&n.from!==t.position;if(a||o!==r.presence||s!==r.envelope){let d=a||!t.opened?"now":t.position;t.subscribe({...r,from:d,
last:void 0,signals:o,presence:o,envelope:s,missing:r.missing??n.missing})}else St(t,e)}function Eo(t,e,r){let n,o=new Promise(
(s,i)=>{n=t.timer(e,()=>i(new S("silent",`there was no answer within ${e} ms`)))});return Promise.race([r,o]).finally(()=>n?.())}
async function So(t,e,r,n){let{wish:o,last:s}=t,i=t.reached,a=l=>{let O=t.end&&Qe(t.end)?t.end.o??"":e.opened&&e.position;
t.isBehind=O?t.reached<O:!l,t.counts()},d=e.position;if(o.slow==="latest"&&s===void 0&&e.opened&&i<d)return t.put({t:"ga\
p",from:i,to:d,why:"slow"},"",0,d),a(!0);let p=await(async()=>{let{window:l,envelope:O}=o,P=await r.line(void 0,n.signal),
m={t:"read",path:e.path,bytes:l,envelope:O,...s===void 0?{from:i}:{last:s}};return Eo(n.environment,n.retry.connect,P.ask(
m))})(),{o:f=i,live:c,text:y}=p;if(t.last=void 0,p.r?.length||p.b?.length)t.put(p,y,0,f);else{if(!c&&f<=i)throw new S("b\
ad-answer","a page has nothing, and is not the last one");t.reached=f,c&&t.put({t:"live",o:f})}p.closed&&(t.end??={...p,
t:"end",why:p.code?"failed":"closed"}),a(c===!0)}async function To(t,e,{environment:r,retry:n,parts:o},s){let{response:i,
release:a}=await st(e?{fetch:e}:{},r).send({url:t,limit:n.connect}),d=i.status===426?s:await gt(o)(i);return a(),d}var xo,
Et=F(()=>{"use strict";ke();dt();M();ee();te();ge();ar();Ee();vn();xo={deleted:[404,"stream-not-found","the stream was d\
eleted"],forbidden:[403,"refused","it may not be read any more"]}});var On={};Le(On,{Leader:()=>fr});var dr,fr,kn=F(()=>{"use strict";Ee();Et();M();dr=class{wish;mark;tabs;who;#e;#n;#o;#t;constructor(e,r,n,o,s){
this.wish={from:"now",missing:"wait",window:65536,...r},this.tabs=n,this.who=[...n].join(),this.#e=e,this.#n=e.path,this.#o=
o,this.#t=s}told(e,r){this.#o({t:"told",path:this.#n,text:r||JSON.stringify(e)}),e.t==="data"&&this.#e.starve(),$e(e)&&this.#t(
this)}lost(e){this.#t(this),e.facts.moved||this.#o({t:"lost",path:this.#n,error:Lt(e)})}},fr=class{#e;#n;#o=!1;#t=new Map;#r=new Map;#s=new Map;#a=new Set;#i;constructor(e,r,n){
this.#e=e,this.#n=o=>this.#o||r(o),this.#i=n}hear(e){let{tab:r}=e;switch(this.#a.has(r)||(this.#a.add(r),this.#i(r,()=>this.#w(
r))),e.t){case"ask":return void this.#f(e);case"say":return void this.#c(r,JSON.parse(e.text));case"follow":return this.#y(
e);case"leave":return this.#h(r,e.path);default:this.#e.self.reconnect()}}end(){this.#o=!0;for(let e of[...this.#t.values()])
this.#p(e)}async#f({tab:e,n:r,text:n,raw:o}){try{let s=JSON.parse(n),i=await this.#e.line(void 0);if(this.#o)return;this.#n(
{t:"answer",tab:e,n:r,told:await i.ask(s.t==="here"?this.#u(e,s):s,o)})}catch(s){this.#n({t:"answer",tab:e,n:r,error:Lt(
s)})}}async#c(e,r){(r.t!=="here"||this.#m(e,r.path))&&await this.#d(r)}async#d(e){let r=await this.#e.line(void 0).catch(
()=>{});this.#o||r?.say(e)}#u(e,r){let n=r.path,o=this.#l(n),s=this.#s.get(n)??new Set,{key:i,member:a,...d}=r,u=s.size>
0||o.isMember;return this.#s.set(n,s.add(e)),o.others=()=>s.size>0,u?d:r}#l(e){return this.#e.of(e).live.of(Ce)}#m(e,r){
let n=this.#s.get(r);return n?.delete(e)===!0&&!n.size&&!this.#l(r).isMember}#y({tab:e,path:r,live:n,envelope:o=!1}){let s=this.#e.
of(r).feed,i=this.#t.get(r);if(i&&(i.wish.presence||!n)&&(i.wish.envelope||!o))i.tabs.add(e),St(s,i);else{let d=(i?.tabs??
new Set).add(e),u=i?.wish.presence??(n||void 0),p={signals:u,presence:u,envelope:i?.wish.envelope??(o||void 0)},f=new dr(
s,p,d,this.#n,c=>this.#p(c,r));this.#t.set(r,f),n&&!this.#r.has(r)&&this.#r.set(r,this.#l(r).hold()),s.attach(f,Ce),i&&s.
detach(i)}if(!n)return;let{roster:a}=this.#l(r);a.count&&this.#n({t:"told",path:r,text:JSON.stringify(a)})}#h(e,r){let n=this.#t.
get(r);n?.tabs.delete(e),n&&!n.tabs.size&&this.#p(n,r)}#p(e,r=[...this.#t].find(([,n])=>n===e)?.[0]){r===void 0||this.#t.
get(r)!==e||(this.#t.delete(r),this.#e.of(r).feed.detach(e),this.#r.get(r)?.(),this.#r.delete(r))}#w(e){this.#a.delete(e);
for(let r of[...this.#t.keys()])this.#h(e,r);for(let r of this.#s.keys())this.#m(e,r)&&this.#d({t:"here",path:r,state:null})}}});var Ct=globalThis;function An(t,e){let r,n=o=>{r=setTimeout(()=>o>2147483647?n(o-2147483647):e(),Math.min(o,2147483647))};
return n(t),()=>clearTimeout(r)}var mr=()=>Ct.document?.visibilityState==="hidden",Cn=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function Ln(t){let e=({type:n,persisted:o})=>{n==="visibilitychange"?t(mr()?
"hidden":"visible"):/^page/.test(n)?o&&t(n==="pagehide"?"freeze":"resume"):t(n)},r=n=>Cn.forEach(o=>Ct[n]?.(o,e,!0));return r(
"addEventListener"),()=>r("removeEventListener")}var Ke={now:()=>Date.now(),timer:An,random:()=>Math.random(),online:()=>Ct.
navigator?.onLine!==!1,hidden:mr,watch:Ln};M();$t();ee();Ze();function en(t,e={}){let{id:r=He()}=e,n,o=0,s=t({...e,id:r});s.then(d=>n=d,()=>{});let i=(d,u=0)=>(...p)=>(o+=u,s.then(
f=>f[d](...p))),a={id:r,get pending(){return n?n.pending:o},append:i("append",1),write:i("write",1),flush:i("flush"),close:i(
"close"),fail:i("fail"),writable:()=>new WritableStream({write:a.write,close:async()=>{await a.close()},abort:async d=>{
await a.fail("aborted",d&&String(d))}}),[Symbol.asyncDispose]:i(Symbol.asyncDispose)};return a}M();function bt(){let t={};return{all:t,emit(e,r){for(let n of t[e]??[])n(r)},on(e,r){let n=t[e]??=new Set;return n.add(r),()=>n.
delete(r)}}}ee();Se();te();be();ye();Zt();var rr=t=>!/^(start|now|-1)$/.test(t);function tn(t,e){let{door:r,retry:n,environment:o}=t,{live:s=!0,
gone:i="throw",missing:a,checkpoint:d,transport:u=t.transport}=e,p=[].concat(u),f=de(n,o),{emit:c,on:y}=bt(),l=e.from??"\
start",O,P,m=new AbortController,g,T,b,v,x=d,A=!1,L=!1,N=[],k=0,W,$,z,D,pe=Promise.resolve(),Q=()=>new Promise(E=>b=E);async function*re(E,H){
try{for(;;){let h=pe.then(()=>ve(E));pe=h.catch(()=>{});let w=await h;if(!w)return;for(let R of H(w))yield R}}finally{await Y()}}
let ne=E=>{let H=q[Symbol.asyncIterator]();return new ReadableStream({async pull(h){let w=await H.next();w.done?h.close():
h.enqueue(E(w.value))},cancel:()=>Y()},{highWaterMark:0})},ve=async E=>{D!==void 0&&T?.kind!=="stopped"&&(q.offset=D,D=void 0,
await d?.save(q.offset));let H=!1,h;if(!N[k]){let R=await xe();if(!R)return;W=q.offset,{records:N,offset:$,upToDate:H,gap:h}=
R,k=0,z=J(t.type)}let w=[];for(let R=N[k];R&&w.length<E;R=N[k]){let{raw:C,offset:B=N[k+1]?W:$}=R;try{let _=t.decode(C,typeof C==
"string"?z:"bytes",R);w.push({data:_ instanceof Promise?await _:_,offset:B,raw:C,...R.known}),D=B,k+=1}catch(_){if(w.length){
H=!1;break}k+=1;let me=await U(t.parts.rest).then(({badRecord:ie})=>ie(_,C,B),ie=>ie);throw await Y("error",me),me}}return D??=
l,{records:w,offset:D,upToDate:H,gap:h}},xe=async()=>{let E=T?void 0:(await(g??=K()).next()).value;if(!E&&T?.error)throw T.
error;return E},Z=E=>{E!==q.state&&c("state",q.state=E)},ce=(E,H,h,w)=>{T||(T={kind:E,offset:H,...h&&{code:h.code,error:h},
...w},q.lastError=h??q.lastError,q.transport=null,Z("ended"),b(T))},Y=async(E="stopped",H)=>{if(T)return;ce(E,q.offset,H),
m.abort();let h=g;g=void 0,await h?.return()};async function*K(){let E=[t.signal,e.signal].map(H=>G(H,q.close));try{let H=await x?.
load();for(x=void 0,H&&(l=q.offset=H);!T;)yield*j()}finally{for(let H of E)H()}}async function*j(){let E=l,H,h=!1,w={};m=
new AbortController,L=!1,v&&(yield v),v=void 0;try{Z("connecting");for await(let C of await I()){C.kind==="open"?H=o.now():
C.kind!=="quiet"&&(h=!0);let _=(C.kind==="stream-error"||C.kind==="stream-failed")&&(await U(t.parts.rest)).told(C);if(C.
kind==="stream-error")throw _;if(C.kind==="stream-detached"){let ie=Number(C.retry_after)*1e3;w={hint:ie,personal:!0,planned:!ie};
break}let me=T?void 0:le(C);if(_&&ce("failed",l,_,_.facts),me&&(yield me),A&&ce("up-to-date",l),T)break}}catch(C){if(!(C instanceof
S))throw C;T||(w=await ue(C,H,E))}finally{m.abort(),q.transport=null}let R=o.now();T||await _e(L?f.held():f.end({up:R-(H??
R),heard:h,...w}))}let I=async()=>{let E=o.now();O??=r.transports(p,t.type,s,e.envelope),!P&&O[1]&&wt(r)>E&&await X();let[
H,h]=P?.current(E)??O;return q.transport=H.name,H.open({...t,...e,live:s,from:l,last:rr(l)?void 0:e.last,first:h?3e3:void 0,
signal:m.signal,sent:f.begin})},X=async()=>P??=(await U(t.parts.rest)).choiceOf(r,p,s,O,o.now()),je=async(E,H,h)=>{let{code:w}=E;
return w!=="network"&&(w!=="truncated"||!h&&H<1e3)?X().then(R=>R.after(E,o.now()),()=>!0):(P?.settle(),!0)},Oe=()=>{Z("l\
ive"),A=!s},se=(E,H=!1)=>({records:E,offset:l,upToDate:H}),V=E=>(c("gap",E),{...se([]),gap:E}),le=E=>{let{kind:H,type:h,
offset:w}=E,R=rr(l);t.type||=h;let C=_=>!R||(_.offset??w)>l,B=E.kind==="records"?E.records.filter(C):[];switch(w&&w!==l&&
!(R&&w<l)&&(l=w,(R||H!=="up-to-date")&&f.progress()),E.kind){case"open":case"stream-created":return Z("catching-up");case"\
stream-waiting":return Z("absent");case"records":return E.upToDate&&Oe(),B.length?se(B,E.upToDate):void 0;case"up-to-dat\
e":return Oe(),se([],!0);case"stream-gap":return V({from:E.from,to:E.to,reason:E.reason});case"stream-signal":case"strea\
m-presence":return c("notice",{name:H.slice(7),data:E.data});case"stream-closed":return ce("closed",l);default:q.state===
"catching-up"&&R&&Z("live")}},ue=async(E,H,h)=>{let w=o.now(),{code:R,retryAfter:C}=E,B=R==="stream-not-found";if(q.lastError=
E,R==="stopped")ce("stopped",q.offset);else if(R==="offset-gone"&&i!=="throw"){let _=l;l=i==="now"?i:String(E.facts.earliest??
"start"),v=V({from:_,to:l,reason:"gone"})}else{if(R==="stream-awaited")return{planned:!0};if(B&&a==="wait")Z("absent");else{
if(B&&w-t.created<1e4)return{hint:C};if(E.retryable&&await je(E,w-(H??w),l!==h))c("error",E);else{let _=H!==void 0||rr(l);
ce((B||R==="stream-gone")&&_?"deleted":"error",q.offset,E)}}}return{hint:C}},_e=async E=>{if(E===null){let w=q.lastError??
new S("truncated","the answer was cut");ce("error",q.offset,w);return}let H=!o.online(),h=E;o.hidden()&&f.count&&(h=Math.
max(h,o.random()*n.cap)),H&&(h=Math.max(h,n.cap)),q.state!=="absent"&&h&&Z(H?"offline":"waiting"),m=new AbortController,
await ae(o,f,h,m.signal,(w,R)=>{q.retryAt=w,R==="offline"&&Z(R)}),q.retryAt=null},q={state:"idle",offset:l,transport:null,
get attempt(){return f.count},retryAt:null,lastError:null,end:Q(),on:y,[Symbol.asyncIterator]:()=>re(1,({records:E})=>E),
batches:()=>re(1/0,E=>[E]),readable:()=>ne(({data:E})=>E),bytes:()=>ne(({raw:E})=>typeof E=="string"?Te(z==="json"?`${E}\

`:E):E),skip(){T?.code==="bad-record"&&(T=void 0,q.end=Q(),Z("idle"))},reconnect(){f.count=0,L=!0,m.abort(new S("network",
"reconnect()"))},close:()=>{Y()},[Symbol.asyncDispose]:()=>Y()};return q}te();ge();be();function nr(t){if(t instanceof Promise)return t.then(nr);if(t.issues)throw t;return t.value}ye();var or=()=>{throw new S("unsupported","needs headwater/connection")};function vt(t,e,r=-1/0){let{environment:n=Ke,decode:o,
schema:s,transport:i="auto",signal:a,parts:d=Je}=e,u=We(e.retry),p={...e,door:t,retry:u,environment:n,transport:i,parts:d,
created:r,another:l=>vt(l,e,n.now()),decode:(l,O,P)=>{let m=o?o(l):"value"in P?P.value:vr(l,O);return s?nr(s["~standard"].
validate(m)):m}},f=qe(n,u,a,async()=>(await U(d.writing)).writerOf(p,await t.writes())),c=(l,O)=>(...P)=>new Promise((m,g)=>{
let T=G(P[O]?.signal,g),b=v=>v[l](...P);f().finally(T).then(b).then(m,g)}),y={get url(){return t.url},get type(){return p.
type},[Symbol.asyncIterator]:()=>y.read()[Symbol.asyncIterator](),read:(l={})=>tn(p,l),async all(l){let O=[];for await(let{
data:P}of y.read({...l,live:!1}))O.push(P);return O},append:c("append",1),producer:l=>en(O=>f().then(P=>P.producer(O)),l),
create:c("create",0),head:c("head",0),close:c("close"),fail:c("fail"),fork:c("fork",2),delete:c("delete",0),...t.live??{
signal:or,signals:or,presence:or},sink:()=>p};return y}function rn(t,e={}){let{environment:r=Ke,parts:n=Je}=e;return vt(
at(t,{...st(e,r),problem:gt(n)},n),e)}ir();ar();Ee();M();ee();ye();Ee();function un(t,e,r,n,o){let{environment:s,retry:i,parts:a}=n,d=new Map,u=0,p=!1,f=0,c,y=()=>s.now()-f,l=()=>b.close(
new S("silent",`nothing came in ${y()} ms`)),O=v=>{if(b.ended)return;b.ended=v,b.isUsable=!1,c?.();let x=[...d.values()];
d.clear(),o.told(b);for(let A of x)A.lost(v)},P=()=>(o.stale(),!b.ended),m=(v,x,A)=>{if(!P())return v.lost(b.ended);let L=++u;
d.set(~L,v);let N=JSON.stringify({id:L,...x});t.send(A===void 0?N:`${N.slice(0,-1)},"r":${A}}`)},g=()=>{let{silence:v}=i,
x=b.heartbeat||v/2.5,A=v||x*2.5,L=N=>{c?.(),c=s.timer(N,()=>{let k=A-y();if(k<=0)return l();y()>=x&&b.say({t:"ping"}),L(
Math.min(x,k))})};f=s.now(),x&&!b.ended&&L(x)},T=(v,x)=>{let{t:A,id:L=A==="welcome"?0:void 0,s:N}=v;if(A==="ping")return b.
say({t:"pong"});if(A==="expiring")return o.expiring(b);if((A==="drain"||v.why==="detached"&&v.code==="stopping")&&(b.isUsable=
!1,o.told(b)),A==="drain"){for(let $ of[...d.values()])$.path!==void 0&&$.told(v,x);return}let k=L===void 0?N:~L,W=d.get(
k);(A==="end"||L!==void 0&&A!=="waiting")&&d.delete(k),A==="sub"&&W&&d.set(N,W),W?.told(v,x)},b={heartbeat:0,ended:void 0,
isUsable:!0,say(v){P()&&t.readyState===1&&t.send(JSON.stringify(v))},ask:(v,x)=>new Promise((A,L)=>{m({told:(k,W)=>{k.t===
"err"?U(a.connectionRest).then(({errorOf:$})=>L($(k)),L):A(Object.assign(k,{text:W}))},lost:L},v,x)}),follow:(v,x)=>m(v,
{t:"sub",path:v.path,...x}),leave(v){for(let[x,A]of d)A===v&&d.delete(x)&&b.say({t:"unsub",path:v.path})},close(v){O(v),
t.close(1e3)},doubt(){b.heartbeat&&y()>b.heartbeat*1.2&&l()}};return new Promise((v,x)=>{let{connect:A}=i,L=[s.timer(A,()=>b.
close(new S("connect-timeout",`nothing came in ${A} ms`)))],N=()=>{for(let k of L)k()};d.set(-1,{told({heartbeat:k=0}){N(),
b.heartbeat=k*1e3,g(),o.told(b),v(b)},lost(k){N(),x(k)}}),t.onopen=()=>{p=!0,g(),t.send(JSON.stringify({t:"hello",...e}))},
t.onmessage=({data:k})=>{if(P()){f=s.now(),o.beat();try{T(xt(k),k)}catch(W){b.close(W)}}},t.onclose=({code:k,reason:W})=>{
b.isUsable=!1,k>4399&&k<4500?U(a.connectionRest).then(({refused:$})=>O($(k,W,n)),O):O(new S("network",`${k} ${W}`,{facts:{
close:k,opened:p}}))},t.onerror=()=>{},L.push(G(r,b.close))})}function pn(t,e){let r=new Set,n={...t,isSkipped:!1,get next(){return r.size?Math.min(...Array.from(r,({at:o})=>o)):null},
end:()=>{for(let{end:o}of[...r])o()},timer(o,s,i){if(i!=="pause")return t.timer(o,s);let a=n.isSkipped?0:o,d=()=>{p(),r.
delete(u),e()},u={at:t.now()+a,end:()=>(d(),s())},p=t.timer(a,u.end,i);return r.add(u),e(),d}};return n}M();ee();Se();be();ye();var Ro={...Je,connectionWrites:()=>Promise.resolve().then(()=>(bn(),gn)),connectionRest:()=>Promise.resolve().then(()=>(Et(),Ce)),
connectionLeader:()=>Promise.resolve().then(()=>(kn(),On))};function Ao(t,e={}){let{parts:r=Ro,token:n,name:o,share:s,fetch:i,
socket:a=(j,I)=>new WebSocket(j,I)}=e,d=pn(e.environment??Ke,()=>Q()),u=We(e.retry),p=de(u,d),{all:f,emit:c,on:y}=bt(),l=new AbortController,
O=new Map,P=new Set,m=typeof n=="function",g,T=new AbortController,b=-1/0,v,x=0,A=null,L,N=!1,k="idle",W="alone",$,z,D,pe=!1,
Q=()=>{z?.(),!D&&(K.role!==W&&c("role",W=K.role),K.state==="idle"?z=d.timer(0,re):re())},re=()=>{K.state!==k&&(k=K.state,
L?.changed(),c("state",k))},ne=j=>{T.abort(j),T=new AbortController;for(let I of P)I.close(j)},ve=async()=>{if(pe)return;
pe=!0,K.close();let j=await Promise.allSettled(Array.from(f["sign-out"]??[],async I=>I(void 0)));for(let I of j)if(I.status===
"rejected")throw I.reason},xe=()=>(N||(N=!0,L=s?.(Y)),L),Z=async j=>{for(;;){if(D)throw D;for(let X of P)if(X.isUsable)return X;
let{ended:I}=await(g??=ce(j).finally(()=>(g=void 0,Q())));if(I)throw I}},ce=async j=>{await null,Q();let I=b-d.now();if(I>
0&&j!==v&&await ae(d,p,I,l.signal,void 0,!0),D)throw D;v=j,$??=d.watch(se=>{if(se==="freeze"&&!L&&ne(new S("network","pa\
ge freeze")),/^(online|visible|resume)$/.test(se))for(let V of P)V.doubt();Q()}),d.isSkipped=!1,x+=1;let X=!p.count;p.begin();
let{signal:je}=T,Oe=`${Y.root.href}-/connect`;try{let se={token:m?await n():n,name:o},V=await un(a(Oe.replace(/^http/,"w\
s"),[nn]),se,je,Y,{async expiring(le){try{m&&await le.ask({t:"auth",token:await n()})}catch{}},told(le){let{ended:ue}=le;
ue?(P.delete(le),ue.code!=="stopped"&&!ue.facts.moved&&c("error",A=ue)):(P.add(le),x=0),Q()},beat:()=>L?.beat(),stale:()=>L?.
stale()});if(V.ended)throw V.ended;return p.progress(),V}catch(se){let V=se;throw V.facts?.moved?V:(b=d.now()+(p.end({})??
u.cap),X&&V.facts?.opened===!1&&(A=await U(r.connectionRest).then(({whyNot:ue})=>ue(Oe,i,Y,V)).catch(()=>V)),A??V)}},Y={
environment:d,retry:u,parts:r,signal:l.signal,get root(){return cn(t)},access:{isFresh:m,refusedAt:-1/0},sessions:P,get self(){
return K},async line(j,I){if(D)throw D;I?.throwIfAborted();let X=()=>Z(j);return xe()?.line(X,I)??X()},of(j){let I=O.get(
j);return I||O.set(j,I={feed:ln(j,Y),live:fn(j,Y)}),I},moved:ne,signedOut:()=>{ve().catch(()=>{})},changed:Q},K={root:String(
t),stream:(j,{signal:I,...X}={})=>vt(Ot(j,Y),{environment:d,retry:u,parts:r,...X,signal:I?AbortSignal.any([I,l.signal]):
l.signal}),get state(){return D?"closed":L?.role==="follower"?L.state:K.isOpen?"live":g||L&&!L.role?"connecting":P.size?
"draining":d.next===null?"idle":d.online()?"waiting":"offline"},get role(){return L?L.role??"follower":"alone"},get isOpen(){
return[...P].some(j=>j.isUsable)},get attempt(){return x},get retryAt(){return/^(waiting|offline|draining)$/.test(K.state)?
d.next:null},get lastError(){return A},on:y,reconnect(){L?.reconnect(),d.isSkipped=!0,b=-1/0,d.end(),ne(new S("network",
"reconnect()")),g||d.timer(0,()=>d.isSkipped=!1)},close(){D||(D=oe("the connection was closed"),L?.leave(),l.abort(D),ne(
D),$?.(),z?.(),c("state",k="closed"))},async signOut(){D||xe()?.signOut(),await ve()},async[Symbol.asyncDispose](){K.close()}};
return G(e.signal,K.close),K}M();Ze();var Pn={facts:{moved:!0}};M();ee();Ee();M();var Tt=class{heartbeat;isFar=!0;ended;#e;#n;#o=1;#t=new Map;#r=new Map;constructor(e,r,n){this.#e=e,this.heartbeat=
r,this.#n=o=>this.ended||n(o)}ask(e,r){if(this.ended)return Promise.reject(this.ended);let n=this.#o++;return new Promise(
(o,s)=>{this.#t.set(n,{resolve:o,reject:s}),this.#n({t:"ask",tab:this.#e,n,text:JSON.stringify(e),raw:r})})}say(e){e.t!==
"ack"&&this.#n({t:"say",tab:this.#e,text:JSON.stringify(e)})}follow(e,r){if(this.ended)return e.lost(this.ended);this.#r.
set(e.path,e),this.#n({t:"follow",tab:this.#e,path:e.path,live:r.presence===!0,envelope:r.envelope===!0})}leave(e){this.#r.
get(e.path)===e&&(this.#r.delete(e.path),this.#n({t:"leave",tab:this.#e,path:e.path}))}close(e){if(this.ended)return;this.
ended=e;let r=[...this.#t.values()],n=[...this.#r.values()];this.#t.clear(),this.#r.clear();for(let{reject:o}of r)o(e);for(let o of n)
o.lost(e)}hear(e){if(e.t==="answer"){let n=e.tab===this.#e?this.#t.get(e.n):void 0;if(!n)return;this.#t.delete(e.n),e.error?
n.reject(Wt(e.error)):n.resolve(e.told);return}let r=this.#r.get(e.path);if(e.t==="told")return r?.told(xt(e.text),e.text);
this.#r.delete(e.path),r?.lost(Wt(e.error))}};var Co=15e3,En=1.2,Sn=1e3,cr=.7,Lo=.1,Rt=()=>new S("network","another tab has the connection now",Pn),Tn=()=>oe("the con\
nection was closed");function Wo(t,e,r){let{environment:n,retry:o,signal:s,parts:i}=t,a=qe(n,o,s,()=>U(i.connectionLeader)),
d=[],u,p=!1;return{hear(f){if(u)return u.hear(f);d.push(f)>1||a().then(({Leader:c})=>{if(!p){u=new c(t,e,r);for(let y of d)
u.hear(y)}},()=>d=[])},end(){p=!0,u?.end()}}}var At=class{role;#e;#n;#o;#t;#r;#s;#a;#i=0;#f="connecting";#c=Co;#d=0;#u=0;#l=new AbortController;#m=new AbortController;#y;#h=[];#p;#w;#g=!1;#k=Date.
now();constructor(e,r,n,o){this.#e=e,this.#n=r,this.#o=n,this.#t=o,this.#w=e.environment.watch(s=>{s==="freeze"?this.#S(
Rt()):s==="resume"&&this.#l.signal.aborted?this.#x():s==="visible"&&this.#v()}),this.#x()}get state(){return this.#f}async line(e,r){
for(;;){let n=await this.#P(r);if(n)return n;if(!this.stale())try{return await e()}catch(o){if(!o.facts?.moved)throw o;r?.
throwIfAborted()}}}async#P(e){for(;!this.role;){if(this.#g||e?.aborted)throw Tn();await new Promise(r=>{this.#h.push(r),
e?.addEventListener("abort",()=>r(),{once:!0})})}if(this.role==="follower"){if(!this.#a||this.#a.ended){let r=this.#i;this.#a=
new Tt(this.#o,this.#c,n=>this.#b({...n,term:r}))}return this.#a}}stale(){let e=this.#c*En+Sn*cr*.9;return!this.#s||this.#e.
environment.now()-this.#u<=e?!1:(this.#S(Rt()),this.#x(),!0)}beat(){this.#e.environment.now()-this.#u>=this.#c*Lo&&this.#O()}changed(){
this.#O()}reconnect(){this.role==="follower"&&this.#b({t:"reconnect",tab:this.#o,term:this.#i})}signOut(){this.#b({t:"ou\
t"}),this.#W("/out",Date.now())}leave(){this.#g=!0,this.#w(),this.#S(Tn())}#x(){if(this.#g)return;let{signal:e}=this.#l=
new AbortController,r=()=>new Promise(n=>{if(e.aborted)return n();e.addEventListener("abort",()=>n()),this.#F()});this.#t.
locks.request(this.#R(this.#o),{signal:e},r).catch(n=>{!e.aborted&&n.name!=="AbortError"&&this.#T("alone")})}#F(){if(this.#L(
"/out")>=this.#k)return this.#e.signedOut();this.#r=this.#t.channel(this.#n),this.#r.onmessage=({data:e})=>this.#B(e),this.#d=
this.#e.environment.now(),this.#A(),this.#b({t:"who"})}#R(e){return`${this.#n}/${e}`}#A(){this.#m=new AbortController,this.#C(
{signal:this.#m.signal}),this.#v()}#C(e){let{signal:r}=this.#l,n=!1,o=()=>new Promise(s=>{if(r.aborted)return s();n=!0,this.#y=
s,this.#D()});this.#t.locks.request(this.#n,e,o).catch(()=>{!n||r.aborted||(this.#E(),this.#A())})}#D(){this.#i=this.#U();
let{signal:e}=this.#l;this.#u=this.#e.environment.now();let r=this.#i,n=(o,s)=>{this.#t.locks.request(this.#R(o),{signal:e},
s).catch(()=>{})};this.#s=Wo(this.#e,o=>this.#b({...o,term:r}),n),this.#T("leader"),this.#O()}#U(){let e=Math.max(this.#i+
1,Date.now(),this.#L("")+1);return this.#W("",e),e}#L(e){try{return Number(this.#t.terms().getItem(this.#n+e))}catch{return 0}}#W(e,r){
try{this.#t.terms().setItem(this.#n+e,String(r))}catch{}}#E(){this.#s&&(this.#s.end(),this.#s=void 0,this.role=void 0,this.#e.
moved(Rt()),this.#y?.())}#S(e){this.#l.abort(),this.#m.abort(),this.#E(),this.#p?.(),this.role=void 0,this.#a?.close(e),
this.#r?.close(),this.#r=void 0,this.#g&&this.#H(),this.#e.changed()}#T(e){this.role=e;let r=this.#a;this.#a=void 0,r?.close(
Rt()),this.#H(),this.#v(),this.#e.changed()}#H(){for(let e of this.#h.splice(0))e()}#b(e){this.#r?.postMessage(e)}#O(){if(!this.#s||
this.stale())return;let{environment:e,self:r,sessions:n}=this.#e;this.#c=[...n].at(-1)?.heartbeat||this.#c,this.#u=e.now(),
this.#b({t:"lead",term:this.#i,state:r.state,heartbeat:this.#c})}#B(e){if(e.t==="out")return this.#e.signedOut();if(e.t===
"who")return this.#O();if(!(e.term<this.#i)&&(e.t==="lead"&&this.#N(e),e.term===this.#i)){if(e.t==="answer"||e.t==="told"||
e.t==="lost")this.#a?.hear(e);else if(e.t!=="lead")return this.#s?.hear(e);this.#d=this.#e.environment.now()}}#N({term:e,
state:r,heartbeat:n}){let o=e>this.#i||!this.role;if(!(e===this.#i&&this.#s)){if(this.#i=e,this.#f=r,this.#c=n,!o)return this.#e.
changed();this.#E(),this.#T("follower"),U(this.#e.parts.connectionLeader).catch(()=>{})}}#v(){if(this.#p?.(),!this.#r||this.
role==="leader"||this.role==="alone")return;let{environment:e}=this.#e,r=this.#c*En,n=()=>(this.#d=Math.min(this.#d,e.now()),
e.now()-this.#d);n()<r?this.#p=e.timer(r-n(),()=>this.#v()):e.hidden()?this.#p=e.timer(r,()=>this.#v()):(this.#b({t:"who"}),
this.#p=e.timer(Sn*(cr+(1-cr)*e.random()),()=>{n()>=r&&this.#I(),this.#v()}))}#I(){this.#m.abort(),this.#d=this.#e.environment.
now(),this.#C({steal:!0})}};function Ho(){let{navigator:t,BroadcastChannel:e}=globalThis,r=t?.locks;if(!(!r||!e))return{locks:r,channel:n=>new e(n),
terms:()=>localStorage}}function Fo(t){let{user:e,platform:r}=t;if(!e)throw new S("bad-request","tabs that share a conne\
ction have a user");return n=>{let o=r??Ho();return o&&new At(n,`headwater/1/${n.root.href}/${encodeURIComponent(e)}`,He(),
o)}}export{Ao as connect,rn as stream,Fo as tabs};
