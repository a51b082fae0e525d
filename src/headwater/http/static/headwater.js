// Headwater's client for TypeScript (MIT) in one file, of clients/typescript/src. Made by `node scripts/bundles.ts` there; not to be edited.
var vn=Object.defineProperty;var T=(r,e,t)=>()=>{if(t)throw t[0];try{return r&&(e=r(r=0)),e}catch(n){throw t=[n],n}};var Ke=(r,e)=>{for(var t in e)vn(r,t,{get:e[t],enumerable:!0})};function ur(r){let e=Number(r)*1e3||Date.parse(r??"")-Date.now();return Number.isFinite(e)?Math.max(0,e):void 0}var y,En,
ze,se,Rt,At,G,Ge,hr,W=T(()=>{"use strict";y=class extends Error{constructor(e,t,n={}){super(`${t} (${e})`,n);let{facts:o={},
retryable:s=En.test(e)}=n;Object.assign(this,{name:"HeadwaterError",...n,code:e,facts:o,retryable:s})}},En=/^(network|connect-timeout|silent|truncated|bad-answer)$/,
ze=r=>/^(408|425|429|5(?!0[15]$)..)$/.test(String(r)),se=(r,e,t)=>r instanceof y?r:new y(e,`${t}: ${r}`,{cause:r});Rt=r=>({
...r,message:r.message}),At=r=>Object.assign(new y(r.code,"",r),{message:r.message}),G=(r,e)=>new y("stopped",r,e?{cause:e}:
{}),Ge=(r,e)=>new y("unknown-outcome",`it may have arrived: ${r}`,e?{cause:e}:{}),hr=()=>Ge("the server forgot this prod\
ucer")});var ge,Je=T(()=>{"use strict";ge=()=>crypto.getRandomValues(new Uint32Array(4)).join("-")});function Ct(r,e){return!e||typeof r=="string"?{raw:r}:{raw:r,get value(){return e.decode(r)}}}var K,be,re=T(()=>{"use st\
rict";J();K=async r=>typeof r=="function"?D(async()=>r()):r;be=(r,e,t)=>Object.assign(Ct(r,t),{offset:e})});function N(r,e){let t=()=>{let n=r?.reason;e(n instanceof y?n:G("the signal was aborted",n))};return r?.addEventListener(
"abort",t),r?.aborted&&t(),()=>r?.removeEventListener("abort",t)}var ue=T(()=>{"use strict";W()});function ie(r,e,t,n,o,s){let i=[];return new Promise(a=>{let d,u=f=>{d=r.now()+f,i.push(r.timer(f,a,"pause")),o?.(d)};u(
t);let l=f=>{o?.(d,f),!(s||!/^(online|visible|resume)$/.test(f))&&(e.count=0,u(Math.max(f==="online"?r.random()*500:0,e.
held())))};i.push(N(n,()=>a()),r.watch(l))}).finally(()=>{for(let a of i)a()})}var Qe,he=T(()=>{"use strict";ue();Qe=(r,e,t)=>new Promise(
(n,o)=>{let s=r.timer(e,()=>{i(),n()},"pause"),i=N(t,a=>{s(),o(a)})})});function ve(r){return{...{base:1e3,cap:3e4,attempts:1/0,deadline:1/0,stable:5e3,connect:1e4,silence:0},...r===!1?{attempts:0}:
r}}function z({base:r,cap:e,stable:t,attempts:n,deadline:o},{now:s,random:i}){let a=[],d=!1,u,l=-1/0,f={count:0,begin(){
a=[...a.slice(-11),s()],u??=s(),d=!1},progress(){u=s(),f.count=0,d=!0,a=[]},held:()=>a.length<12?0:Math.max(0,a[0]+6e4-s()),
end({up:m=0,heard:h,planned:w,hint:O,personal:v}){let S=s(),k=m>=t&&h;k&&(f.count=0,u=S);let L=S-(u??S),P;return w&&(d||
k)?P=Math.max(0,l+1e3-S):d?P=i()*r:P=i()*Math.min(w?t:e,4*r+2*L,r*2**f.count++),w&&(l=S+P),O&&(P=Math.max(P,O*(v?1:1+.3*
i()))),P=Math.max(P,f.held()),f.count>n||P+L>o?null:P}};return f}var ae=T(()=>{"use strict"});async function mr(r,e,t,n){let o=z(e,r),s=0;for(let i=!1;;i=!0)try{return o.begin(),await n(i)}catch(a){if(!(a instanceof
y)||!a.retryable||a.code==="bad-answer"&&(s+=1)>=3)throw a;let d=o.end({hint:a.retryAfter});if(d===null)throw a;await ie(
r,o,d,t,void 0,a.retryAfter!==void 0)}}var pr=T(()=>{"use strict";W();he();ae()});function wr(r){let e="";for(let t of r)e+=String.fromCharCode(t);return btoa(e)}var Ve,B,Y,me,Wt,pe,yr,q=T(()=>{"use str\
ict";Ve="application/json",B=(r=Ve)=>/^\s*(application\/|[^;]*\+)json\s*(;|$)/i.test(r)?"json":/^\s*text\//i.test(r)?"te\
xt":"bytes",Y=r=>Uint8Array.from(atob(r),e=>e.charCodeAt(0));me=r=>new TextEncoder().encode(r),Wt=()=>new TextDecoder("u\
tf-8",{ignoreBOM:!0}),pe=r=>Wt().decode(r),yr=(r,e)=>typeof r!="string"||e==="text"?r:e==="json"?JSON.parse(r):me(r)});function br(r,e){let t=B(e)==="json"?JSON.stringify(r):r;if(typeof t=="string")return me(t);let{buffer:n=t,byteOffset:o,
byteLength:s}=Object(t);if(n instanceof ArrayBuffer)return new Uint8Array(n,o,s);throw new y("bad-record",`${typeof r} i\
s no record of ${e}`)}function Ye(r){let e=new Uint8Array(r.reduce((n,o)=>n+o.length,0)),t=0;for(let n of r)e.set(n,t),t+=
n.length;return e}function Xe(r,e){return B(e)!=="json"?Ye(r):Ye([...r.flatMap((t,n)=>[me(n?",":"["),t]),me("]")])}var gr,
Ze=T(()=>{"use strict";W();q();gr=r=>!/^\s*application\/(x-|vnd\.google\.)?protobuf\b(?!.*encoding=delimited)/i.test(r)});function kr({door:r,retry:e,environment:t,signal:n},o,s,i,a){let{id:d,linger:u=5,batchBytes:l=1<<20,bufferBytes:f=8<<20,
claim:m,create:h,idempotent:w=!0}=a,O=w?a.inFlight??5:1,{epoch:v=0}=a;if(!d||!(v>=0&&l>0&&O>0))throw new y("bad-request",
"a producer has a name, an epoch from 0 on, and limits above 0");let S=z(e,t),k=new AbortController,L=0,P,A,U=[],H=[],Q,
M=0,fe="",I,Z,$=Promise.resolve(),ce=!1,Te=!1,ne=-1/0,Re=[],je,Ae=async c=>{for(;!c();)await new Promise(p=>Re.push(p))},
oe=()=>{for(let c of Re.splice(0))c()},j=()=>Ae(()=>{let c=M<f||I;return c||le(),c}),ee=async(c,p,b,E)=>{P??=await s();let R=await i(
c,P);if(await j(),I)throw I;let F={bytes:R,resolve:p,reject:b};te(F),F.ignore=N(E,V=>{let _=A?.entries.indexOf(F)??-1;A&&
_>=0?(A.entries.splice(_,1),A.size-=R.length,M-=R.length,b(V)):b(G("the signal was aborted; the record may arrive",E?.reason))})},
te=c=>{let{bytes:p}=c,b=p?.length??0;return A&&p&&(!gr(P)||A.size+b>l)&&le(),A??={entries:[],size:0,seq:0,bad:0},A.entries.
push(c),A.size+=b,M+=b,Q??=t.timer(u,le),A},le=()=>{Q?.(),Q=void 0,A?.entries.length&&U.push(A),A=void 0,ye()},St=async(c,p)=>{
if(await $,I)throw I;P??=await s();let b=()=>{};return p!==void 0&&te({bytes:await i(p,P),resolve:b,reject:b}),new Promise(
(E,R)=>{te({resolve:E,reject:R}).close=c,le()})},Me=(c,p)=>(Z??=St(c,p),Z.catch(()=>Z=void 0),Z),ye=()=>{ce&&!H.length&&
(ce=!1,v+=1,L=0);let c=()=>H.some(p=>!p.seq)||U[0]?.close&&H.length;for(;!ce&&U.length&&H.length<O&&!c();){let p=U.shift();
p.seq=L++,p.lost=!1,H.push(p),Pt(p)}},Pt=async c=>{let p=vr(c),b={body:p.length?Xe(p,P):void 0,type:P,producer:w?[d,v,c.
seq]:void 0,create:h?{}:void 0,...c.close};for(c.write=b;c.write===b;){let E=Math.min(...H.map(R=>R.seq));(!r.live||c.seq===
E)&&S.begin();try{let{offset:R}=await o.write(b,k.signal);if(c.write!==b)return;S.progress(),R>fe&&(fe=R),Le(c,R);return}catch(R){
if(c.write!==b||!await Ce(c,R,E))return}}},Ce=async(c,p,b)=>{let{code:E,facts:R,message:F,retryable:V,retryAfter:_,status:dr}=p;
if(V&&!w&&dr===void 0)return _e(c,Ge(F,p));if(V&&!(E==="bad-answer"&&++c.bad>=3)){let Fe=t.now();if(c.lost=!0,Fe>=ne){let fr=S.
end({hint:_});if(fr===null)return g(Ge(F,p));ne=Fe+fr}return await ie(t,S,ne-Fe,k.signal,void 0,_!==void 0),ne=Math.min(
ne,t.now()),!0}return E==="producer-gap"?He(c,Number(R.expected??R.expected_seq),b):E==="producer-fenced"&&m?We(Number(R.
epoch??v)+1):dr===404&&h&&!Te?(Te=!0,o.create({"content-type":P},void 0,k.signal).then(()=>!0,Fe=>Ce(c,Fe,b))):_e(c,p)},
He=async(c,p,b)=>{if(p>c.seq)return Le(c,fe);if(p<b||b===c.seq)return We(v+1);let E=H.find(R=>R.seq<c.seq);return await Ae(
()=>!E||!H.includes(E)),!0},We=c=>{v=c,L=0;for(let p of H)p.lost&&C(p,hr());$e(H.filter(p=>p.write)),H=[],ye(),oe()},$e=c=>{
for(let p of c)p.write=void 0;U.unshift(...c)},_e=(c,p)=>{if(Pn.test(p.code))return g(p);let b=H.filter(E=>E.seq>c.seq);
H=H.filter(E=>E.seq<=c.seq),$e(b),ce=!0,Le(c,p)},Le=(c,p)=>{H=H.filter(b=>b!==c),C(c,p),ye(),oe()},C=(c,p)=>{c.write=void 0,
M-=c.size;for(let{resolve:b,reject:E,ignore:R}of c.entries)R?.(),typeof p=="string"?b(p):E(p)},g=c=>{I??=c,Q?.(),je?.();
let p=[...H,...U,...A?[A]:[]];H=[],U=[],A=void 0,k.abort(c);for(let b of p)C(b,c);oe()},x={id:d,get pending(){return[...H,
...U,...A?[A]:[]].flatMap(vr).length},append(c,{signal:p}={}){return Z?Promise.reject(new y("stream-closed","this produc\
er has closed the stream")):new Promise((b,E)=>{$=$.then(()=>ee(c,b,E,p)).catch(E)})},async write(c){if(I)throw I;x.append(
c).catch(p=>I??=p),await $,await j()},async flush(){if(await $,le(),await Ae(()=>!A&&!U.length&&!H.length),I)throw I;return fe},
close:c=>Me({close:!0},c),fail:(c,p,b)=>Me({close:!0,fail:{code:c,message:p}},b),async[Symbol.asyncDispose](){await x.flush().
finally(()=>g(G("the producer was disposed of")))}};return je=N(n,g),x}var Pn,vr,Or=T(()=>{"use strict";W();he();Ze();ae();
ue();Pn=/^(producer-fenced|stream-closed|stream-gone)$/,vr=({entries:r})=>r.flatMap(({bytes:e})=>e??[])});function xr(r,e,t={}){let{code:n,detail:o,message:s,title:i,offset:a}=e;return new y(Lt(n)??Tn[r]??(r<500?"bad-answer":"\
internal"),Lt(o??s??i)??`the server answered ${r}`,{status:r,retryable:ze(r),offset:Lt(a),facts:e,...t})}async function Er(r){
let{status:e,headers:t,url:n}=r,o=`${e} for ${n}`,s={};if(/json|^text\/plain/.test(t.get("content-type")??"")){let i=await r.
text().catch(()=>"");try{s={...JSON.parse(i)}}catch{i&&(s.detail=`${i.slice(0,200)}: ${o}`)}}for(let[i,a]of Rn)s[a]??=t.
get(i)??void 0;return e===409&&s.expected!==void 0&&(s.code??="producer-gap"),e===403&&s.epoch!==void 0&&(s.code??="prod\
ucer-fenced"),e===409&&s.closed&&(s.code??="stream-closed"),s.detail??=o,xr(e,s,{retryAfter:ur(t.get("retry-after"))})}function ke({
headers:r,status:e},t){let n=r.get("content-type")??"no type",o={content_type:n,protocol:r.has("stream-next-offset")};return new y(
"bad-answer",`the server answered ${n} in place of ${t}`,{status:e,facts:o})}function Sr(r,e,t){let{issues:n,message:o=n?.
map(i=>i.message).join("; ")??String(r),facts:s=n?{issues:n}:{}}=Object(r);return new y("bad-record",`a record was refus\
ed: ${o}`,{offset:t,facts:{raw:e,...s},cause:r})}function Pr(r){if(r.kind==="stream-error"){let{data:s}=r;return s instanceof
y?s:xr(Number(s.status)||0,s)}let{kind:e,offset:t,code:n="",message:o=""}=r;return new y(e,`the stream failed: ${n} ${o}`.
trim(),{offset:t,facts:{code:n,message:o}})}var Tn,Lt,Rn,Oe,xe=T(()=>{"use strict";W();Tn={400:"bad-request",401:"not-au\
thorized",403:"refused",404:"stream-not-found",405:"method-not-allowed",406:"not-acceptable",408:"request-timeout",409:"\
conflict",410:"gone",412:"precondition-failed",413:"too-large",415:"unsupported-coding",429:"rate-limited",503:"unavaila\
ble"},Lt=r=>typeof r=="string"?r:void 0;Rn=[["stream-next-offset","next_offset"],["stream-earliest-offset","earliest"],[
"producer-epoch","epoch"],["producer-expected-seq","expected"],["stream-closed","closed"]];Oe=(r,e="bad-answer")=>se(r,e,
"the answer cannot be read")});function de(r){return new URL(r,globalThis.location?.href)}function Ft(r,e){for(let[t,n]of Object.entries(e))n!==void 0&&
r.set(t,String(n))}async function et(r,e){let t=await r.send(e);if(t.response.ok)return t;throw await r.problem(t.response).
finally(t.release)}function tt(r,e){let{headers:t}=r,n=async({method:s="GET",url:i,headers:a={},body:d},u)=>{let l=new Headers(
typeof t=="function"?await t():t);Ft(l,a);let{credentials:f}=r;return(r.fetch??fetch)(i,{method:s,headers:l,body:d,credentials:f,
signal:u,cache:"no-store"})},o=async s=>{let i=new AbortController,{signal:a}=i,d=m=>i.abort(m),u=[r.signal,s.signal].map(
m=>N(m,d)),l=e.timer(s.limit,()=>d(new y("connect-timeout",`nothing came in ${s.limit} ms`))),f=()=>{l();for(let m of u)
m();i.abort()};try{let m=await new Promise((h,w)=>{N(a,w),n(s,a).then(h,w)});return m.ok&&l(),{response:m,signal:a,abort:d,
release:f}}catch(m){let h=Dt(a,m);throw f(),h}};return{options:r,async send(s){let i=await o(s);return i.response.status!==
401||typeof t!="function"?i:(i.release(),o(s))}}}var Dt,X=T(()=>{"use strict";W();ue();Dt=(r,e)=>se(r.reason??e,"network",
"no answer")});function Ut(r){let e=r.get("stream-failure");if(e!==null)return{code:e,message:decodeURIComponent(r.get("stream-failure-\
message")??"")}}function Bt(r,e){let t=r.get("stream-next-offset")??e,n=Ut(r);return n?{kind:"stream-failed",offset:t,...n}:
{kind:"stream-closed",offset:t}}function Tr(r,e,t){if(e.status===204)return Bt(e.headers,t);throw ke(e,r)}var rt=T(()=>{
"use strict";xe()});function Rr(r){let e=o=>r.get(o)??void 0,t=e("stream-ttl"),n=e("stream-expires-at");return{type:e("content-type")??"",offset:e(
"stream-next-offset")??"",earliest:e("stream-earliest-offset"),closed:e("stream-closed")==="true",failure:Ut(r),ttl:t?Number(
t):void 0,expiresAt:n?new Date(n):void 0,retention:e("stream-retention"),slow:e("stream-slow"),etag:e("etag")}}function Ar(r,e,t){
let n=async(o,s,i,a)=>{let d=ve(r.options.retry).connect+(a?An:0),{response:u,release:l}=await et(r,{method:o,url:e(),headers:i,
body:a,signal:s,limit:d});if(l(),u.status!==204&&!u.headers.has("stream-next-offset"))throw ke(u,"what a stream's server\
 says");return u};return{async write({body:o,type:s,producer:i,close:a,fail:d,create:u},l){let[f,m,h]=i??[],w={...u,"str\
eam-create":u&&!0,"content-type":o||u?s:void 0,"producer-id":f,"producer-epoch":m,"producer-seq":h,"stream-closed":a||void 0,
"stream-failure":d?.code,"stream-failure-message":d?.message?encodeURIComponent(d.message):void 0};return{offset:(await n(
"POST",l,w,o)).headers.get("stream-next-offset")??""}},create:async(o,s,i)=>Rr((await n("PUT",i,o,s)).headers),async head(o){
try{return Rr((await n("HEAD",o)).headers)}catch(s){if(s.status===404)return null;throw s}},delete:async o=>{await n("DE\
LETE",o)},sibling:o=>nt(new URL(o,e()),r,t)}}var An,Cr=T(()=>{"use strict";Nt();xe();X();ae();rt();An=6e4});var Hr={};Ke(Hr,{httpWrites:()=>Ar,writerOf:()=>Cn});function Cn(r,e){let{environment:t,parts:n,retry:o,signal:s}=r,i,a=(m,h)=>mr(
t,o,m??s,h),d=async()=>r.type??(await f.head())?.type??Ve,u=async(m,h)=>{if(!r.codec)return br(m,h);let{encode:w}=await a(
void 0,()=>K(r.codec)),{framed:O}=await a(void 0,()=>D(n.frames));try{return O(w(m),h)}catch(v){throw se(v,"bad-record",
`it is no record of ${h}`)}},l=(m=!1)=>i??=f.producer({id:ge(),linger:0,create:m}),f={append:(m,h={})=>l(h.create).append(
m,h),producer:m=>kr(r,e,d,u,m),async create({type:m=r.type??Ve,ttl:h,expiresAt:w,retention:O,slow:v,closed:S,records:k=[],
signal:L}={}){let P={"content-type":m,"stream-ttl":h,"stream-expires-at":w instanceof Date?w.toISOString():w,"stream-ret\
ention":O,"stream-slow":v,"stream-closed":S||void 0},A=await Promise.all(k.map(H=>u(H,m))),U=await a(L,()=>e.create(P,A.
length?Xe(A,m):void 0,L));return r.type=m,r.created=t.now(),{...U,type:U.type||m}},async head({signal:m}={}){let h=await a(
m,()=>e.head(m));return r.type=h?.type||r.type,h},close:m=>l().close(m),fail:(m,h,w)=>l().fail(m,h,w),async fork(m,h,{signal:w}={}){
let O=e.sibling(m),v=await O.writes(),S=new URL(e.sibling("").url).pathname;return await a(w,()=>v.create({"stream-forke\
d-from":S,"stream-fork-offset":h},void 0,w)),r.another(O)},async delete({signal:m}={}){await a(m,async h=>{try{await e.delete(
m)}catch(w){if(!h||w.code!=="stream-not-found")throw w}})}};return f}var Wr=T(()=>{"use strict";Je();re();W();pr();Or();
Ze();J();q();Cr()});function Ee(r){let e=JSON.parse(r);if(!Array.isArray(e))throw new SyntaxError("no JSON array");let t=[],n=!1,o=0,s=0;for(let{
0:i,index:a}of r.matchAll(Hn)){if(i==='"'&&(n=!n),n)continue;let d=i==="["||i==="{";d?o+=1:(i==="]"||i==="}")&&(o-=1),d&&
o===1?s=a+1:(!o||o===1&&i===",")&&(t.push(r.slice(s,a).trim()),s=a+1)}return e.map((i,a)=>({raw:t[a]??"",value:i}))}var Hn,
ot=T(()=>{"use strict";Hn=/\\.|["[\]{},]/gs});function qt(r){if(r.length>67108864)throw new RangeError(`more than ${67108864} characters in a line`)}function st(){let r=Wt(),
e="\uFEFF",t="";return n=>{let o=r.decode(n,{stream:!0});if(!o)return[];o[0]===e&&(o=o.slice(1)),e=o.endsWith("\r")?`
`:"";let s=o.split(o.includes("\r")?/\r\n?|\n/:`
`),i=s.pop();return s.length&&(s[0]=t+s[0],t=""),t+=i,qt(t),s}}var It=T(()=>{"use strict";q()});function it(r="",e){let t=st(),n;return o=>{let s=[];for(let i of t(o)){if(!i){n&&s.push({...n,id:r}),n=void 0;continue}
let a=i.indexOf(":"),d=a<0?i:i.slice(0,a),u=a<0?"":i.slice(a+(i[a+1]===" "?2:1)),l=n??{event:"",data:null,id:r};if(d==="\
data")l.data=l.data===null?u:`${l.data}
${u}`;else if(d==="event")l.event=u;else if(d==="id"&&!u.includes("\0"))r=u;else if(!e?.(d,u,l))continue;n=l,qt(n.data??
"")}return s}}var jt=T(()=>{"use strict";It()});async function at(r,{parts:e}){if(!/msgpack|protobuf/i.test(r))return n=>[n];let{split:t}=await D(e.frames);return n=>t(
n,r)}function dt(r,e,t){if(!r.length)return[];try{return e(r).map(n=>Ct(n,t))}catch(n){throw Oe(n,"truncated")}}var Mt=T(
()=>{"use strict";re();J();xe()});function Se(r,e,t){return{...e,kind:r,offset:t,type:e.content_type,data:e}}var ft=T(()=>{"use strict"});function ct({response:r,signal:e,abort:t,release:n},o,s,i,a=37500){let d=r.body?.getReader(),u=Number(r.headers.get("str\
eam-heartbeat"))*1e3,l=s||2.5*u||a,f=1/0,m=!0,h=()=>o.now()-f,w=()=>t(new y("silent",`nothing came in ${h()} ms`,{facts:{
first:m}})),O=o.watch(v=>{v==="freeze"?t(new y("network","page freeze")):v!=="hidden"&&v!=="offline"&&h()>l*1.2/2.5&&w()});
return e.addEventListener("abort",()=>{d?.cancel().catch(()=>{})}),{async read(){let v=m&&i||l;f=o.now();let S=o.timer(v,
()=>{h()<v+1e3?w():S=o.timer(3e3,w)});try{let k=await d?.read();return m=!1,e.throwIfAborted(),k?.value}catch(k){throw Dt(
e,k)}finally{f=1/0,S()}},release(){O(),n()}}}var _t=T(()=>{"use strict";W();X()});function Fn(r,{last:e,from:t,slow:n,missing:o},s){let i=new URL(r),a=e===void 0?{offset:t==="start"?"-1":t}:{last:e};return Ft(
i.searchParams,{...a,slow:n,missing:o==="wait"?o:void 0,...s}),i.href}function Kt(r,e,t,n,o,s=0){let{signal:i,retry:a}=t;
return t.sent(),et(r,{url:Fn(e,t,n),headers:{accept:o},signal:i,limit:a.connect+s})}async function*Dn(r,e,t,n){let{environment:o,
retry:s,first:i,parts:a}=n,{query:d,accept:u}=t,l=await Kt(r,e,n,d,u),{response:f}=l,{headers:m}=f,h=ct(l,o,s.silence,i);
try{if(f.status===204||!m.get("content-type")?.startsWith(u))return yield(await D(a.rest)).inPlaceOf(u,f,n.from);yield{kind:"\
open"};let w=await t.parser(f,n),O=t.tailless;for(;;){let v=h.read();O&&await Un(v,o)&&(O=!1,yield{kind:"quiet"});let S=await v;
if(!S)break;let k=[];try{w(S,k)}catch(L){throw(await D(a.rest)).unreadable(L)}k.length||(yield{kind:"beat"}),yield*k}throw new y(
"truncated","the answer was cut")}finally{h.release()}}function lt(r,e){let{offset:t}=e,n=r.at(-1);n?.kind==="records"?(n.
records.push(e),n.offset=t):r.push({kind:"records",records:[e],offset:t,upToDate:!1})}function ut(r,e){let t=r.at(-1);t?.
kind==="records"?t.upToDate=!0:r.push({kind:"up-to-date",offset:e})}var we,Un,Ue=T(()=>{"use strict";_t();W();J();X();we=
r=>(e,t)=>({name:r.name,open:n=>Dn(e,t,r,n)});Un=(r,e)=>new Promise(t=>{let n=e.timer(1e3,()=>t(!0)),o=()=>{n(),t(!1)};r.
then(o,o)})});async function*Nn(r){let e=!1;try{for await(let t of r)e||=t.kind!=="open"&&(t.kind!=="beat"||"offset"in t),yield t}catch(t){
if(!e||t.code!=="truncated")throw t;yield{kind:"stream-detached"}}}var Bn,Lr,Fr=T(()=>{"use strict";re();ot();q();jt();Mt();
ft();Ue();Bn=we({name:"live-sse",accept:"text/event-stream",query:{live:"sse",missing:void 0},async parser({headers:r},e){
let{type:t,codec:n}=e,o=it(),s=r.get("stream-sse-data-encoding")==="base64",i=await K(n),a=s?await at(t??"",e):void 0,d=[],
u=f=>a?dt(Y(f),a,i):(t?B(t)==="json":f.startsWith("["))?Ee(f):f?[{raw:f}]:[],l=(f,m)=>{let{streamNextOffset:h,streamClosed:w,
streamFailure:O,streamError:v,streamDetached:S,streamGap:k}=f,L=f.upToDate===!0&&!w,P=(A,U)=>{U&&m.push(Se(A,U,h))};P("s\
tream-gap",k),d.length?m.push({kind:"records",records:d,offset:h,upToDate:L}):k||P(L?"up-to-date":"beat",{}),d=[],O?P("s\
tream-failed",O):w?P("stream-closed",{}):v?P("stream-error",v):P("stream-detached",S)};return(f,m)=>{for(let{event:h,data:w}of o(
f))w!==null&&(h==="data"?d.push(...u(w)):h==="control"&&l(JSON.parse(w),m))}}});Lr=(...r)=>{let{name:e,open:t}=Bn(...r);
return{name:e,open:n=>Nn(t(n))}}});function zt(r=qn){let e=it();return(t,n)=>{for(let{event:o,data:s,id:i}of e(t))s===null?i&&ut(n,i):o.startsWith("stream-")?
n.push(Se(o,JSON.parse(s),i)):lt(n,r(s,i))}}var qn,Dr,Gt=T(()=>{"use strict";J();q();jt();ft();Ue();qn=(r,e)=>({raw:r,offset:e});
Dr=we({name:"sse",accept:"text/event-stream",query:{data:"json"},tailless:!0,async parser({headers:r},{type:e,parts:t,codec:n}){
let o=r.has("stream-sse-data-encoding");return zt(o||B(e)!=="json"?await(await D(t.rest)).quoted(o,n):void 0)}})});function Mn(r,e){let t=In.exec(r);return t&&Object.keys(e).every(n=>jn.test(n))?r.trimEnd().slice(t[0].length,-1):JSON.stringify(
e.data)}async function Ur({type:r,codec:e}){let t=await K(e),n=B(r)==="json";return(o,s=JSON.parse(o))=>{let{offset:i,data:a,
base64:d,at:u,by:l}=s,f=u===void 0?{offset:i}:{offset:i,known:{at:u,by:l}};return d!==void 0?Object.assign(be(Y(d),i,t),
f):n?{raw:Mn(o,s),value:a,...f}:{raw:String(a),...f}}}async function _n(r){let e=await Ur(r);return t=>e(t)}var In,jn,$n,
Br,Nr,qr=T(()=>{"use strict";re();It();q();ft();Ue();Gt();In=/^\{"offset":"[^"\\]*",(?:"at":[\d.]+,)?(?:"by":\{[^{}]*\},)?"data":/,
jn=/^(offset|at|by|data)$/;$n=r=>we({name:"ndjson",accept:"application/x-ndjson",query:r,async parser(e,t){let n=await Ur(
t),o=st();return(s,i)=>{for(let a of o(s)){if(!a.trim())continue;let d=JSON.parse(a),{offset:u,control:l}=d;l==="up-to-d\
ate"?ut(i,u):l?i.push(Se(`stream-${l}`,d,u)):lt(i,n(a,d))}}}}),Br=we({name:"sse",accept:"text/event-stream",query:{envelope:1},
tailless:!0,parser:async(r,e)=>zt(await _n(e))});Nr=(r,e)=>({name:"ndjson",open:t=>$n(t.envelope?{envelope:1}:{})(r,e).open(
t)})});async function zn(r,{environment:e,retry:t}){let n=ct(r,e,t.silence),{headers:o,type:s}=r.response,i=[];try{for(let d=await n.
read();d;d=await n.read())i.push(d);let a=Ye(i);if(s!=="cors"&&!o.has("content-encoding")&&a.length<Number(o.get("conten\
t-length")))throw new y("truncated","the answer was cut");return a}finally{n.release()}}async function Gn(r,e,t){let n=B(
e);if(n==="bytes")return dt(r,await at(e,t),await K(t.codec));let o=pe(r);if(n==="text")return o?[{raw:o}]:[];try{return Ee(
o)}catch(s){throw Oe(s,/]\s*$/.test(o)?"bad-answer":"truncated")}}async function*Jn(r,e,t){let{live:n,missing:o}=t,{from:s,
last:i}=t,a,d=s==="now";for(;;){let u=n&&(d||o==="wait"),l={...t,from:s,last:i,...u?{}:{slow:void 0,missing:void 0}},f=await Kt(
r,e,l,{live:u?"long-poll":void 0,cursor:a},void 0,u?Kn:0),{response:m}=f,{headers:h,status:w}=m,O=h.get("stream-next-off\
set");if(O===null)throw f.release(),ke(m,"a page of a stream");let v=await zn(f,t),S=h.get("content-type")??t.type??"",k=w===
204?[]:await Gn(v,S,t),L=h.get("stream-up-to-date")==="true"||w===204,P=L&&h.get("stream-closed")==="true",A=L&&!P;if(yield{
kind:"open",type:S},k.length?yield{kind:"records",records:k,offset:O,upToDate:A}:yield A?{kind:"up-to-date",offset:O}:{kind:"\
beat"},P&&(yield Bt(h,O)),d&&(!k.length||O===s))break;d=L,s=O,i=void 0,a=h.get("stream-cursor")??void 0}yield{kind:"stre\
am-detached"}}var Kn,Ir,jr=T(()=>{"use strict";_t();re();W();Ze();ot();q();xe();Mt();rt();Ue();Kn=6e4;Ir=(r,e)=>({name:"\
long-poll",open:t=>Jn(r,e,t)})});async function Mr(r,e){let t=await K(e),n=o=>{let s=JSON.parse(o);return typeof s!="string"?Y(s.base64):r?Y(s):s};return(o,s)=>be(
n(o),s,t)}var $r=T(()=>{"use strict";re();q()});var Jt,Qt,ht,Vt=T(()=>{"use strict";X();Jt=new Map,Qt=r=>`headwater:transport:${de(r.url).origin}`,ht=r=>{let e=Qt(r);try{
return Jt.get(e)??Number(sessionStorage.getItem(e))}catch{return 0}}});function _r(r,e,t,n,o){let s=e.length===1&&e[0]==="auto",i=0,a=0,d=0,u=0,l=()=>i+1>=n.length,f=(w,O)=>{i=w,a=O,d=u=0},m=()=>{
let w=t?["live-sse","long-poll"]:["long-poll"];return n[0]?.name===w[0]?!1:(n=r.transports(w,void 0,t),f(0,a),!0)},h=s?ht(
r):0;return h>o&&f(n.length-1,h),{current(w){return a&&w>=a&&f(0,0),[n[i],!l()]},settle:()=>f(i,a),async after({code:w,facts:O},v){
let S=w==="bad-answer";return d=S?d+1:0,u=w==="truncated"?u+1:0,S&&O.protocol&&s&&m()?!0:l()?d<3:(((w==="silent"?O.first:
w==="connect-timeout"&&e.length===1&&await Zn(r))||d>=3||u>=Vn)&&(f(n.length-1,v+Qn),s&&Xn(Qt(r),a)),!0)}}}function Xn(r,e){
Jt.set(r,e);try{sessionStorage.setItem(r,String(e))}catch{}}var Qn,Vn,Yn,Zn,Kr=T(()=>{"use strict";X();Vt();Qn=30*6e4,Vn=
3,Yn=1e3;Zn=async({requester:r,url:e})=>r?.send({url:de(e).href,method:"HEAD",limit:Yn}).then(({release:t})=>(t(),!0),()=>!1)});var zr={};Ke(zr,{badRecord:()=>Sr,choiceOf:()=>_r,inPlaceOf:()=>Tr,problemOf:()=>Er,quoted:()=>Mr,told:()=>Pr,transportOf:()=>to,
unreadable:()=>Oe});function to(r){let e=eo[r];if(e)return e;let t='import { connect } from "headwater/connection", or {\
 eventsource } from "headwater/eventsource"';throw new y("unsupported",`the transport ${r} is not in the core; ${t}`)}var eo,
Gr=T(()=>{"use strict";W();Fr();qr();jr();xe();rt();$r();Kr();eo={sse:Br,ndjson:Nr,"long-poll":Ir,"live-sse":Lr}});var Jr={};Ke(Jr,{framed:()=>no,isDelimited:()=>Xt,isMsgpack:()=>Yt,split:()=>ro});function ro(r,e){if(!Yt(e)&&!Xt(e))return[
r];let t=[];for(let n=0;n<r.length;){let[o,s]=Yt(e)?[n,io(r,n)]:oo(r,n);if(s>r.length)throw new RangeError("a record is \
cut");t.push(r.subarray(o,s)),n=s}return t}function no(r,e){if(!Xt(e))return r;let t=[],n=r.length;for(;n>127;n=Math.floor(
n/128))t.push(n%128+128);return Uint8Array.of(...t,n,...r)}function oo(r,e){let t=0;for(let n=1;n<=128**4;n*=128){let o=r[e++]??
NaN;if(t+=o%128*n,!(o>127))return Number.isNaN(o)?[e,1/0]:[e,e+t]}throw new RangeError("a length has more than 32 bits")}
function io(r,e){let t=new DataView(r.buffer,r.byteOffset,r.byteLength),n=o=>{let s=o===0?t.getUint8(e):o===1?t.getUint16(
e):t.getUint32(e);return e+=1<<o,s};for(let o=1;o>0&&e<=r.length;o-=1){let s=n(0),i=0;if(!(s<128||s>223)){if(s<144)o+=2*
(s%16);else if(s<160)o+=s%16;else if(s<192)i=s%32;else{if(s===193)throw new RangeError("0xc1 begins no value of MessageP\
ack");if(s<196)continue;s<199?i=n(s-196):s<202?i=n(s-199)+1:s<217?i=so[s-202]:s<220?i=n(s-217):s<222?o+=n(s-219):o+=2*n(
s-221)}e+=i}}return e}var Yt,Xt,so,Qr=T(()=>{"use strict";Yt=r=>/^\s*application\/(x-|vnd\.)?msgpack\s*(;|$)/i.test(r),Xt=
r=>/^\s*application\/(x-|vnd\.google\.)?protobuf\s*;.*\bencoding\s*=\s*"?delimited\b/i.test(r);so=[4,8,1,2,4,8,1,2,4,8,2,
3,5,9,17]});var Be,D,mt,J=T(()=>{"use strict";W();Be={writing:()=>Promise.resolve().then(()=>(Wr(),Hr)),rest:()=>Promise.resolve().then(()=>(Gr(),zr)),
frames:()=>Promise.resolve().then(()=>(Qr(),Jr))},D=async(r,e)=>{try{return await r()}catch(t){throw new y("network",`im\
port(): ${t}`,{cause:t,retryAfter:e})}},mt=({rest:r})=>async e=>{let{problemOf:t}=await D(r,1e3*Number(e.headers.get("re\
try-after"))||0);return t(e)}});function nt(r,e,t){let n=()=>de(r).href,o=s=>({name:s,async*open(i){yield*(await D(t.rest)).transportOf(s)(e,n()).open(i)}});
return{url:String(r),transports(s,i,a,d){let u=[B(i)==="json"?"sse":"ndjson","long-poll"];return s.flatMap(f=>f==="auto"?
u:f).map(f=>typeof f=="function"?f(e,n()):f!=="sse"?o(f):a?d?o(f):Dr(e,n()):o("ndjson"))},requester:e,writes:async()=>(await D(
t.writing)).httpWrites(e,n,t)}}var Nt=T(()=>{"use strict";J();q();X();Gt()});function wt(r){let e;try{e=JSON.parse(r)}catch(t){throw new y("bad-answer","a message is no JSON",{cause:t})}if(typeof e!=
"object"||e===null||typeof e.t!="string")throw new y("bad-answer","a message says not what it is");return e}function ao({
o:r="",e=[]}){return[...e.map(t=>r.slice(0,r.length-t.length)+t),r]}function en(r,e,t,n){let o=ao(r),{at:s,by:i}=r,a=m=>({
offset:o[m]??"",...s&&{known:{at:s[m],by:i?.[m]??void 0}}}),d=m=>t==="bytes"?Y(m):pe(Y(m));if(r.b)return r.b.map((m,h)=>Object.
assign(be(d(m),"",n),a(h)));let u=r.r??[];if(t==="text")return u.map((m,h)=>({raw:m,...a(h)}));let l,f=m=>(l??=Ee(e.slice(
e.indexOf('"r":[')+4,s?e.lastIndexOf(',"at":['):e.lastIndexOf("]")+1)),l[m]?.raw??"");return u.map((m,h)=>({get raw(){return f(
h)},value:m,...a(h)}))}function Pe(r){let{status:e=500,after:t,facts:n,code:o="internal",message:s,advice:i}=r,a=r.detail??
s;return new y(o,String(a),{status:e,retryable:ze(e),retryAfter:t===void 0?void 0:t*1e3,offset:n?.next_offset,facts:{...n,
code:o,detail:a,advice:i}})}function tn(r,e,t){let n=/^[a-z][a-z-]*/.exec(e)?.[0];if(r<4400||r>4499){let o=t?"the connec\
tion was lost":"there was no connection";return new y("network",`${o}: ${r} ${e}`.trim(),{facts:{close:r,opened:t}})}return new y(
n??"refused",e||`the server closed the connection: ${r}`,{status:r-4e3,retryable:!fo.test(String(r-4400).padStart(2,"0")),
facts:{close:r}})}var Zr,fo,Ne=T(()=>{"use strict";re();W();ot();q();Zr="headwater.v1+json";fo=/00|01|03|04|05|06|10|15/});function rn(r){let{why:e,o:t="",code:n="",message:o=""}=r;switch(e){case"closed":return{kind:"stream-closed",offset:t};case"\
failed":return{kind:"stream-failed",offset:t,code:n,message:o};case"detached":return{kind:"stream-detached",retry_after:r.
after??0,reason:e};case"deleted":return{kind:"stream-error",data:{status:404,code:"stream-not-found",detail:"the stream \
was deleted"}};case"forbidden":return{kind:"stream-error",data:{status:403,code:n||"refused",detail:o||"it may not be re\
ad any more"}};case"left":return{kind:"stream-detached",reason:e};default:return{kind:"stream-error",data:{status:500,code:n||
"internal",detail:o}}}}async function*co(r,e,t,n){let{signal:o}=t;t.sent();let s=new nr(r,e,t,n,await K(t.codec)),i=N(o,
a=>s.lost(a));o.aborted||r.attach(s);try{for(;;)yield await s.next(),s.taken()}finally{i(),r.detach(s)}}var nr,rr,on,sn=T(
()=>{"use strict";re();W();q();ue();Ne();nr=class{wish;who;#e;#t;#r;#n;#o=[];#s=0;#i;#d;#c=!1;#a;#h="";#f;#l;#g;#w;#u=new Promise(
(e,t)=>this.#w=t);constructor(e,t,n,o,s){this.who=o,this.#n=s;let{from:i,last:a,slow:d,missing:u,envelope:l,buffer:f=65536}=n;
this.wish={from:i==="start"?"-1":i,last:a,slow:d,wait:u==="wait",envelope:l,buffer:f},this.#e=e,this.#t=t,this.#r=n,this.#u.
catch(()=>{})}get mark(){return this.#c?void 0:this.#d}async next(){for(;;){let e=this.#o[0];if(e)return e.wire;if(this.#f&&
(!rr(this.#f)||!this.#c))return this.#f;if(this.#c)await this.#E();else{if(this.#l)throw this.#l;this.#e.starve(),await new Promise(
t=>this.#g=t)}}}taken(){let e=this.#o.shift();e&&(this.#s-=e.size,e.mark&&(this.#d=e.mark,this.#e.settle()))}letGo(){this.#c=
!0}lost(e){this.#l??=e,this.#w(e),this.#g?.()}told(e,t,n,o){switch(e.t){case"sub":this.#y(e,o);break;case"waiting":this.
wish.wait?this.#p({kind:"stream-waiting"}):this.#b(this.wish.from);break;case"data":this.#m(n)&&this.#O(e,t,this.#e.got);
break;case"live":this.#c||this.#p({kind:"up-to-date",...e.o?{offset:e.o}:{}});break;case"gap":this.#v(e,n);break;case"dr\
ain":this.#f??={kind:"stream-detached",retry_after:e.after??0,reason:"stopping"};break;case"err":e.id!==void 0&&(this.#f??=
{kind:"stream-error",data:Pe(e)});break;case"end":this.#f??=rn(e),rr(this.#f)&&this.#m(e.o??"")}this.#g?.()}#y(e,t){let{
from:n="",type:o}=e;if(this.#h=o??"",this.#i!==void 0)return void this.#m(n);let{wish:s}=this;this.#i=t||s.from==="now"?
n:s.from,t||(this.#a=s.last),this.#c=this.#a!==void 0||this.#i!==n,this.#d=this.#e.got,this.#p({kind:"open",...o?{type:o}:
{}})}#m(e){return this.#i===void 0?!1:((this.#s>this.wish.buffer*2||e>this.#i)&&(this.#c=!0),!this.#c)}#b(e){this.#i??=e,
this.#c=!0}#v(e,t){let{to:n="",o=n,why:s}=e;s!=="slow"||(this.wish.slow??"replay")!=="replay"?this.#m(t)&&this.#k(e.from??
t,n,s,o):this.#m(o)}#k(e,t,n,o=t){this.#p({kind:"stream-gap",from:e,to:t,offset:o,reason:n}),this.#i=o}#O(e,t,n){let o=en(
e,t,B(this.#h),this.#n),{o:s=""}=e;this.#p({kind:"records",records:o,offset:s,upToDate:e.t==="page"&&e.live===!0},t.length,
n),this.#i=s}#p(e,t=0,n=0){this.#o.push({wire:e,size:t,mark:n}),this.#s+=t}async#E(){let{slow:e,buffer:t,envelope:n}=this.
wish,{signal:o,retry:s}=this.#r;if(this.#l)throw this.#l;let i=this.#i,a=this.#e;if(e==="latest"&&this.#a===void 0&&a.opened&&
i<a.position)return this.#k(i,a.position,"slow"),this.#S(!0);let d=this.#a===void 0?{from:i}:{last:this.#a},u=async()=>{
let f=await this.#t.line(void 0,o);return this.#t.limited(s.connect,f.ask({t:"read",path:a.path,bytes:t,envelope:n,...d}))},
l=await Promise.race([u(),this.#u]);if(this.#a=void 0,l.r?.length||l.b?.length)this.#O(l,l.text,0);else{if(!l.live&&(l.o??
"")<=i)throw new y("bad-answer","a page has nothing, and is not the last one");this.#i=l.o??i,l.live&&this.#p({kind:"up-\
to-date",offset:this.#i})}l.closed&&(this.#f??=rn({...l,why:l.code?"failed":"closed"})),this.#S(l.live===!0)}#S(e){let t=this.#f&&
rr(this.#f)?this.#f.offset:this.#e.opened&&this.#e.position;this.#c=t?this.#i<t:!e,this.#d=this.#e.got}},rr=r=>r.kind===
"stream-closed"||r.kind==="stream-failed";on=(r,e)=>{let t={name:"websocket",open:n=>co(r(),e,n,t)};return t}});function yt(r,e,t){let n=()=>new URL(e.split("/").map(encodeURIComponent).join("/"),r()).href,o=async(s,i,a,d)=>(await t.
line(void 0,a)).ask({t:s,path:e,...i},d);return{get url(){return n()},live:t.live(e).door,transports:s=>s.map(i=>{if(i===
"auto"||i==="websocket")return on(()=>t.feed(e),t);throw new y("unsupported",`a connection reads over its WebSocket, not\
 by ${String(i)}: use stream(url)`)}),writes:async()=>(await D(t.parts.connectionWrites)).connectionWrites(o,r,n,t)}}function an(r){
let e=de(r);return e.protocol=e.protocol.replace(/^ws/,"http"),e.pathname=e.pathname.replace(/-\/connect$/,"").replace(/\/?$/,
"/"),e.search=e.hash="",e}var or=T(()=>{"use strict";W();J();X();sn()});var hn={};Ke(hn,{connectionWrites:()=>ho});function cn(r){let e={};for(let[t,n]of Object.entries(r))if(n!==void 0)if(t===
"stream-closed")e.closed=n;else if(fn[t])e[fn[t]]=n;else throw new y("unsupported",`a connection has no ${t}: use stream\
(url)`);return e}function ln(r,e){if(!r)return[{}];let t=B(e??"application/octet-stream");return t==="json"?[{},pe(r)]:t===
"text"?[{r:[pe(r)]}]:[{b:[wr(r)]}]}function ho(r,e,t,n){return{async write({body:o,producer:s,close:i,fail:a,create:d,type:u},l){
let f,m=i&&!a||void 0;if(o||d){let[h,w]=ln(o,u),O=d&&(Object.keys(d).length?cn(d):!0);f=await r("append",{p:s,type:u,create:O,
close:m,...h},l,w)}else m&&(f=await r("close",{p:s},l));return a&&(f=await r("fail",{...a,message:a.message??""},l)),{offset:f?.
o??""}},async create(o,s,i){let a=String(o["content-type"]??""),[d,u]=ln(s,a),l=await r("create",{...cn(o),...d},i,u);return un(
{...l,type:a,tail:l.o??""})},async head(o){try{return un(await r("head",{},o))}catch(s){if(s.status===404)return null;throw s}},
delete:async o=>{await r("delete",{},o)},sibling(o){let s=new URL(o,t()),{href:i,pathname:a}=e();if(!s.href.startsWith(i))
throw new y("unsupported",`${s.href} is not on this connection`);return yt(e,decodeURIComponent(s.pathname.slice(a.length)),
n)}}}function un({type:r="",tail:e="",earliest:t,closed:n,code:o,message:s="",ttl:i,expires_at:a,retention:d,slow:u}){let l=f=>f?
String(f):void 0;return{type:r,offset:e,earliest:l(t),closed:n===!0,failure:o?{code:o,message:s}:void 0,ttl:typeof i=="n\
umber"?i:void 0,expiresAt:a?new Date(a):void 0,retention:l(d),slow:l(u),etag:void 0}}var fn,mn=T(()=>{"use strict";W();q();
or();fn={"content-type":"type","stream-ttl":"ttl","stream-expires-at":"expires_at","stream-retention":"retention","strea\
m-slow":"slow"}});var Tt=globalThis;function kn(r,e){let t,n=o=>{t=setTimeout(()=>o>2147483647?n(o-2147483647):e(),Math.min(o,2147483647))};
return n(r),()=>clearTimeout(t)}var lr=()=>Tt.document?.visibilityState==="hidden",On=["online","offline","pagehide","pa\
geshow","freeze","resume","visibilitychange"];function xn(r){let e=({type:n,persisted:o})=>{n==="visibilitychange"?r(lr()?
"hidden":"visible"):/^page/.test(n)?o&&r(n==="pagehide"?"freeze":"resume"):r(n)},t=n=>On.forEach(o=>Tt[n]?.(o,e,!0));return t(
"addEventListener"),()=>t("removeEventListener")}var De={now:()=>Date.now(),timer:kn,random:()=>Math.random(),online:()=>Tt.
navigator?.onLine!==!1,hidden:lr,watch:xn};W();Nt();J();he();Je();function Vr(r,e={}){let{id:t=ge()}=e,n,o=0,s=r({...e,id:t});s.then(d=>n=d,()=>{});let i=(d,u=0)=>(...l)=>(o+=u,s.then(
f=>f[d](...l))),a={id:t,get pending(){return n?n.pending:o},append:i("append",1),write:i("write",1),flush:i("flush"),close:i(
"close"),fail:i("fail"),writable:()=>new WritableStream({write:a.write,close:async()=>{await a.close()},abort:async d=>{
await a.fail("aborted",d&&String(d))}}),[Symbol.asyncDispose]:i(Symbol.asyncDispose)};return a}W();J();he();q();ae();ue();Vt();var Zt=r=>!/^(start|now|-1)$/.test(r);function Yr(r,e){let{door:t,retry:n,environment:o}=r,{live:s=!0,
gone:i="throw",missing:a,checkpoint:d,transport:u=r.transport}=e,l=[].concat(u),f=z(n,o),m={},h=e.from??"start",w,O,v=new AbortController,
S,k,L,P,A=d,U=!1,H=!1,Q=[],M=0,fe,I,Z,$,ce=Promise.resolve(),Te=()=>new Promise(g=>L=g);async function*ne(g,x){try{for(;;){
let c=ce.then(()=>je(g));ce=c.catch(()=>{});let p=await c;if(!p)return;for(let b of x(p))yield b}}finally{await te()}}let Re=g=>{
let x=C[Symbol.asyncIterator]();return new ReadableStream({async pull(c){let p=await x.next();p.done?c.close():c.enqueue(
g(p.value))},cancel:()=>te()},{highWaterMark:0})},je=async g=>{$!==void 0&&k?.kind!=="stopped"&&(C.offset=$,$=void 0,await d?.
save(C.offset));let x=!1,c;if(!Q[M]){let b=await Ae();if(!b)return;fe=C.offset,{records:Q,offset:I,upToDate:x,gap:c}=b,M=
0,Z=B(r.type)}let p=[];for(let b=Q[M];b&&p.length<g;b=Q[M]){let{raw:E,offset:R=Q[M+1]?fe:I}=b;try{let F=r.decode(E,typeof E==
"string"?Z:"bytes",b);p.push({data:F instanceof Promise?await F:F,offset:R,raw:E,...b.known}),$=R,M+=1}catch(F){if(p.length){
x=!1;break}M+=1;let V=await D(r.parts.rest).then(({badRecord:_})=>_(F,E,R),_=>_);throw await te("error",V),V}}return $??=
h,{records:p,offset:$,upToDate:x,gap:c}},Ae=async()=>{let g=k?void 0:(await(S??=le()).next()).value;if(!g&&k?.error)throw k.
error;return g},oe=(g,x)=>{for(let c of m[g]??[])c(x)},j=g=>{g!==C.state&&oe("state",C.state=g)},ee=(g,x,c,p)=>{k||(k={kind:g,
offset:x,...c&&{code:c.code,error:c},...p},C.lastError=c??C.lastError,C.transport=null,j("ended"),L(k))},te=async(g="sto\
pped",x)=>{if(k)return;ee(g,C.offset,x),v.abort();let c=S;S=void 0,await c?.return()};async function*le(){let g=[r.signal,
e.signal].map(x=>N(x,C.close));try{let x=await A?.load();for(A=void 0,x&&(h=C.offset=x);!k;)yield*St()}finally{for(let x of g)
x()}}async function*St(){let g=h,x,c=!1,p={};v=new AbortController,H=!1,P&&(yield P),P=void 0;try{j("connecting");for await(let E of await Me()){
E.kind==="open"?x=o.now():E.kind!=="quiet"&&(c=!0);let F=(E.kind==="stream-error"||E.kind==="stream-failed")&&(await D(r.
parts.rest)).told(E);if(E.kind==="stream-error")throw F;if(E.kind==="stream-detached"){let _=Number(E.retry_after)*1e3;p=
{hint:_,personal:!0,planned:!_};break}let V=k?void 0:$e(E);if(F&&ee("failed",h,F,F.facts),V&&(yield V),U&&ee("up-to-date",
h),k)break}}catch(E){if(!(E instanceof y))throw E;k||(p=await _e(E,x,g))}finally{v.abort(),C.transport=null}let b=o.now();
k||await Le(H?f.held():f.end({up:b-(x??b),heard:c,...p}))}let Me=async()=>{let g=o.now();w??=t.transports(l,r.type,s,e.envelope),
!O&&w[1]&&ht(t)>g&&await ye();let[x,c]=O?.current(g)??w;return C.transport=x.name,x.open({...r,...e,live:s,from:h,last:Zt(
h)?void 0:e.last,first:c?3e3:void 0,signal:v.signal,sent:f.begin})},ye=async()=>O??=(await D(r.parts.rest)).choiceOf(t,l,
s,w,o.now()),Pt=async(g,x,c)=>{let{code:p}=g;return p!=="network"&&(p!=="truncated"||!c&&x<1e3)?ye().then(b=>b.after(g,o.
now()),()=>!0):(O?.settle(),!0)},Ce=()=>{j("live"),U=!s},He=(g,x=!1)=>({records:g,offset:h,upToDate:x}),We=g=>(oe("gap",
g),{...He([]),gap:g}),$e=g=>{let{kind:x,type:c,offset:p}=g,b=Zt(h);r.type||=c;let E=F=>!b||(F.offset??p)>h,R=g.kind==="r\
ecords"?g.records.filter(E):[];switch(p&&p!==h&&!(b&&p<h)&&(h=p,(b||x!=="up-to-date")&&f.progress()),g.kind){case"open":case"\
stream-created":return j("catching-up");case"stream-waiting":return j("absent");case"records":return g.upToDate&&Ce(),R.
length?He(R,g.upToDate):void 0;case"up-to-date":return Ce(),He([],!0);case"stream-gap":return We({from:g.from,to:g.to,reason:g.
reason});case"stream-signal":case"stream-presence":return oe("notice",{name:x.slice(7),data:g.data});case"stream-closed":
return ee("closed",h);default:C.state==="catching-up"&&b&&j("live")}},_e=async(g,x,c)=>{let p=o.now(),{code:b,retryAfter:E}=g,
R=b==="stream-not-found";if(C.lastError=g,b==="stopped")ee("stopped",C.offset);else if(b==="offset-gone"&&i!=="throw"){let F=h;
h=i==="now"?i:String(g.facts.earliest??"start"),P=We({from:F,to:h,reason:"gone"})}else{if(b==="stream-awaited")return{planned:!0};
if(R&&a==="wait")j("absent");else{if(R&&p-r.created<1e4)return{hint:E};if(g.retryable&&await Pt(g,p-(x??p),h!==c))oe("er\
ror",g);else{let F=x!==void 0||Zt(h);ee((R||b==="stream-gone")&&F?"deleted":"error",C.offset,g)}}}return{hint:E}},Le=async g=>{
if(g===null){let p=C.lastError??new y("truncated","the answer was cut");ee("error",C.offset,p);return}let x=!o.online(),
c=g;o.hidden()&&f.count&&(c=Math.max(c,o.random()*n.cap)),x&&(c=Math.max(c,n.cap)),C.state!=="absent"&&c&&j(x?"offline":
"waiting"),v=new AbortController,await ie(o,f,c,v.signal,(p,b)=>{C.retryAt=p,b==="offline"&&j(b)}),C.retryAt=null},C={state:"\
idle",offset:h,transport:null,get attempt(){return f.count},retryAt:null,lastError:null,end:Te(),on(g,x){let c=m[g]??=new Set;
return c.add(x),()=>c.delete(x)},[Symbol.asyncIterator]:()=>ne(1,({records:g})=>g),batches:()=>ne(1/0,g=>[g]),readable:()=>Re(
({data:g})=>g),bytes:()=>Re(({raw:g})=>typeof g=="string"?me(Z==="json"?`${g}
`:g):g),skip(){k?.code==="bad-record"&&(k=void 0,C.end=Te(),j("idle"))},reconnect(){f.count=0,H=!0,v.abort(new y("networ\
k","reconnect()"))},close:()=>{te()},[Symbol.asyncDispose]:()=>te()};return C}q();X();ae();function er(r){if(r instanceof Promise)return r.then(er);if(r.issues)throw r;return r.value}ue();var tr=()=>{throw new y("unsupported","needs headwater/connection")};function pt(r,e,t=-1/0){let{environment:n=De,decode:o,
schema:s,transport:i="auto",signal:a,parts:d=Be}=e,u=ve(e.retry),l,f={...e,door:r,retry:u,environment:n,transport:i,parts:d,
created:t,another:v=>pt(v,e,n.now()),decode:(v,S,k)=>{let L=o?o(v):"value"in k?k.value:yr(v,S);return s?er(s["~standard"].
validate(L)):L}},m=async()=>{let v=z(u,n);for(;;){v.begin();try{return(await D(d.writing)).writerOf(f,await r.writes())}catch(S){
if(a?.aborted)throw se(a.reason,"stopped","the signal was aborted");let k=v.end({});if(k===null)throw S;await ie(n,v,k,a)}}},
h=()=>l??=m().catch(v=>(l=void 0,Promise.reject(v))),w=(v,S)=>(...k)=>new Promise((L,P)=>{let A=N(k[S]?.signal,P),U=H=>H[v](
...k);h().finally(A).then(U).then(L,P)}),O={get url(){return r.url},get type(){return f.type},[Symbol.asyncIterator]:()=>O.
read()[Symbol.asyncIterator](),read:(v={})=>Yr(f,v),async all(v){let S=[];for await(let{data:k}of O.read({...v,live:!1}))
S.push(k);return S},append:w("append",1),producer:v=>Vr(S=>h().then(k=>k.producer(S)),v),create:w("create",0),head:w("he\
ad",0),close:w("close"),fail:w("fail"),fork:w("fork",2),delete:w("delete",0),...r.live??{signal:tr,signals:tr,presence:tr},
sink:()=>f};return O}function Xr(r,e={}){let{environment:t=De,parts:n=Be}=e;return pt(nt(r,{...tt(e,t),problem:mt(n)},n),
e)}or();W();var lo=({t:r})=>r==="data"||r==="live"||r==="gap",qe=({from:r,last:e})=>e===void 0?r:`last ${e}`,gt=class{path;position="";opened;isLive=!1;got=0;#e;#t=new Set;#r;#n;#o;#s=!1;#i=0;#d=new AbortController;#c=0;#a=[];#h;#f;#l;constructor(e,t){
this.path=e,this.#e=t}get line(){return this.#r}attach(e){this.#t.add(e);let t=this.#n,{wish:n,who:o}=e;if(!t)return this.#w(
n,o);let s=t.live||n.live===!0,i=t.envelope||n.envelope===!0,d=!(this.isLive||this.#s||qe(t)==="now")&&qe(n)!==qe(t)&&n.
from!==this.position;if(d||s!==!!t.live||i!==!!t.envelope){let u=d||!this.opened?"now":this.position;return this.#w({...t,
from:u,last:void 0,live:s,envelope:i,wait:t.wait||n.wait===!0})}this.greet(e)}greet(e){let{opened:t,position:n,isLive:o}=this;
t?(e.told({...t,from:n},"",n,e.wish.from==="now"),o&&e.told({t:"live",o:n},"",n,!1)):this.#o&&e.told(this.#o,"",n,!1)}detach(e){
if(this.#t.delete(e)){if(this.#t.size)return this.settle();this.#b()}}settle(){let e=this.got;for(let{mark:t=1/0}of this.#t)
e=Math.min(e,t);e!==this.#c&&(this.#m(),(e-this.#c)*2>=this.#g?this.#y(e):this.#h=this.#e.environment.timer(1e3,()=>this.#y(
e)))}starve(){this.#t.size<2||this.got-this.#c<this.#g||(this.#f??=this.#e.environment.timer(1e3,()=>{this.#f=void 0;for(let e of this.#t)
(e.mark??1/0)<this.got&&e.letGo?.();this.settle()}))}told(e,t){if(!this.opened&&lo(e))return;this.#l?.();let n=this.position,
o;switch(e.t){case"sub":this.opened=e,this.position=e.from??"",this.#n&&!this.#r?.isFar&&(o=qe(this.#n));break;case"wait\
ing":this.#o=e;break;case"data":this.position=e.o??n,this.got+=t.length,this.#a.push([this.got,this.position]);break;case"\
gap":this.position=e.o??e.to??n;break;case"live":this.isLive=!0}let s=e.t==="end"||e.t==="drain"||e.t==="err"&&e.id!==void 0,
i=[...this.#t];s&&this.#v();for(let a of i)a.told(e,t,n,qe(a.wish)===o);e.t==="data"&&(this.settle(),i.some(({isEager:a})=>a)&&
this.starve())}lost(e){let t=this.#n;if(e.facts.moved)return this.#w(this.opened?{...t,from:this.position,last:void 0}:t);
let n=[...this.#t];this.#v();for(let o of n)o.lost(e)}get#g(){return this.#n?.buffer??0}#w(e,t){this.#l?.(),this.#r?.leave(
this),this.#r=void 0,this.#n=e,this.#s=(this.isLive||this.#s)&&e.from===this.position,this.#o=this.opened=void 0,this.isLive=
!1,this.#c=this.got,this.#a.length=0,this.#u(e,this.#i+=1,t)}async#u(e,t,n){let{retry:o,environment:s}=this.#e,{from:i,last:a,
slow:d,wait:u,buffer:l,live:f,envelope:m}=e,h;try{h=await this.#e.line(n,this.#d.signal)}catch(O){t===this.#i&&this.lost(
O);return}if(t!==this.#i)return;this.#r=h;let w=s.timer(o.connect,()=>{h.close(new y("silent",`there was no answer withi\
n ${o.connect} ms`))});this.#l=()=>{this.#l=void 0,w()},h.follow(this,{...a===void 0?{from:i}:{last:a},...d===void 0?{}:
{slow:d},...u?{missing:"wait"}:{},window:l,...f?{signals:!0,presence:!0}:{},...m?{envelope:m}:{}})}#y(e){this.#m(),this.#c=
e;let t;for(let n=this.#a[0];n&&n[0]<=e;n=this.#a[0])t=n[1],this.#a.shift();t&&this.opened&&this.#r?.say({t:"ack",s:this.
opened.s,o:t})}#m(){this.#h?.(),this.#f?.(),this.#h=this.#f=void 0}#b(){this.#v(),this.#d.abort(new y("stopped","nobody \
reads it")),this.#d=new AbortController}#v(){this.#l?.(),this.#m(),this.#r?.leave(this),this.#i+=1,this.#t.clear(),this.#r=
this.#n=this.#o=this.opened=void 0,this.isLive=!1}};W();he();ae();Ne();var Ie=class{#e=[];#t;#r;#n=!1;#o;constructor(e,t){this.#t=e,this.#o=t}put(e){this.#e.push(e),this.#e.length>
this.#t&&this.#e.shift(),this.#r?.()}end(){this.#n=!0,this.#r?.()}async*[Symbol.asyncIterator](){try{for(;;){for(;!this.#e.
length&&!this.#n;)await new Promise(e=>this.#r=e);if(!this.#e.length)return;yield this.#e.shift()}}finally{this.#o()}}},
uo=({from:r,to:e,topic:t,by:n,data:o})=>({from:r,to:e,topic:t,data:o,...n&&{by:n}}),bt=class{path;door={signal:(e,t)=>this.#g(
e,t),signals:()=>this.#w(),presence:e=>this.#u(e)};wish={from:"now",wait:!0,buffer:65536,live:!0};who=this;mark;others=()=>!1;#e;#t;#r;#n;#o=new Set;#s=new Set;#i=new Map;#d=0;#c=!0;#a;#h=!1;#f;#l;constructor(e,t,n){
this.path=e,this.#e=t,this.#t=n,this.#r=t.environment,this.#n=t.retry}#g(e,t={}){let n={t:"signal",path:this.path,data:e,
...t};this.#e.line(void 0).then(o=>o.say(n),()=>{})}#w(){let e=new Ie(1e3,()=>this.#m(this.#o,e));return this.#y(this.#o,
e)}#u(e){let t=new Ie(1,()=>this.#m(this.#s,t));this.#y(this.#s,t),e!==void 0&&this.#v(e);let n=this;return{get members(){
return[...n.#i.values()]},get count(){return n.#d},set:o=>this.#v(o),leave:()=>{this.#a=void 0,this.others()||this.#t().
line?.say({t:"here",path:this.path,state:null}),this.#m(this.#s,t),t.end()},[Symbol.asyncIterator]:()=>t[Symbol.asyncIterator]()}}hold(){
let e=this.#y(this.#s,new Ie(1,()=>{}));return()=>this.#m(this.#s,e)}get roster(){return{t:"presence",count:this.#d,members:this.#c?
[...this.#i.values()]:null}}get isMember(){return this.#a!==void 0}end(){for(let e of[...this.#o,...this.#s])e.end();this.#o.
clear(),this.#s.clear(),this.#b(),this.#a=void 0,this.#l?.abort()}#y(e,t){return e.add(t),this.#l||(this.#l=new AbortController,
this.#O(this.#l.signal)),t}#m(e,t){e.delete(t),!(this.#o.size||this.#s.size)&&(this.#b(),this.#l?.abort(),this.#l=void 0,
this.#f?.(new y("stopped","nobody listens")))}#b(){this.#i.clear(),this.#d=0,this.#c=!0}#v(e){this.#a={...this.#a,state:e},
this.#h&&this.#k()}async#k(){if(this.#a)try{let e=await this.#t().line?.ask({t:"here",path:this.path,...this.#a});e&&this.#a&&
(this.#a={...this.#a,key:e.key,member:e.member})}catch{}}async#O(e){let t=z(this.#n,this.#r);for(;!e.aborted;){let n=this.#r.
now();t.begin();let o=await this.#p(e);if(e.aborted||!o.retryable)return;let s=this.#r.now()-n,i=t.end({up:s,heard:s>0,hint:o.
retryAfter,personal:!0});if(i===null)return;await Qe(this.#r,i,e).catch(()=>{})}}async#p(e){let t=this.#t();try{return await new Promise(
n=>{this.#f=n,e.addEventListener("abort",()=>n(e.reason),{once:!0}),t.attach(this)})}finally{t.detach(this),this.#f=void 0,
this.#h=!1}}told(e){switch(e.t){case"sub":return this.#h=!0,void this.#k();case"signal":for(let t of this.#o)t.put(uo(e));
return;case"presence":return this.#E(e);case"drain":return this.#f?.(new y("network","the server stops",{retryAfter:(e.after??
0)*1e3}));case"err":return e.id===void 0?void 0:this.#f?.(Pe(e));case"end":return this.#f?.(new y("network",`the stream \
is not read any more: ${String(e.why)}`,{retryable:e.why==="detached"||e.why==="deleted"}))}}lost(e){this.#f?.(e)}#E(e){
e.members!==void 0&&(this.#c=e.members!==null,this.#i.clear());let t=[e.members,e.joined,e.changed].flatMap(o=>o??[]);for(let o of t)
this.#i.set(o.id,o);for(let o of e.left??[])this.#i.delete(o);let n=[...this.#i.values()];this.#d=e.count??n.length;for(let o of this.#s)
o.put(n)}};W();Ne();var vt=class r{ended;after;heartbeat=0;#e;#t;#r=1;#n=new Map;#o=new Map;#s=new Map;#i=!1;#d=0;#c;constructor(e,t){this.#e=
e,this.#t=t}static async open(e){let t=e.socket(e.url,[Zr]),n=new r(e,t);return await n.#h(),n}get isUsable(){return this.
ended===void 0&&this.after===void 0}get quiet(){return this.#e.environment.now()-this.#d}say(e){this.#a()&&this.#t.readyState===
1&&this.#t.send(JSON.stringify(e))}ask(e,t){if(!this.#a())return Promise.reject(this.ended);let n=this.#r++,o=JSON.stringify(
{id:n,...e});return new Promise((s,i)=>{this.#n.set(n,{resolve:s,reject:i}),this.#t.send(t===void 0?o:`${o.slice(0,-1)},\
"r":${t}}`)})}follow(e,t){if(!this.#a())return e.lost(this.ended);let n=this.#r++;this.#s.set(n,e),this.#t.send(JSON.stringify(
{t:"sub",id:n,path:e.path,...t}))}leave(e){let t=!1;for(let n of[this.#s,this.#o])for(let[o,s]of n)s===e&&(t=n.delete(o));
t&&this.say({t:"unsub",path:e.path})}close(e=G("the session was closed")){this.#b(e),this.#t.close(1e3)}#a(){return!this.
ended&&this.#e.stale()&&this.close(new y("network","the page stood still")),!this.ended}#h(){let{environment:e,limit:t,hello:n,
signal:o}=this.#e,s=()=>this.close(o.reason);return o.addEventListener("abort",s,{once:!0}),new Promise((i,a)=>{let d=e.
timer(t,()=>{this.#b(new y("connect-timeout",`there was no connection within ${t} ms`)),this.#t.close()}),u=l=>{d(),a(l)};
this.#n.set(0,{resolve:l=>{d(),this.heartbeat=Number(l.heartbeat??0)*1e3,this.#m(),this.#e.changed(this),i()},reject:u}),
this.#t.onopen=()=>{this.#i=!0,this.#m(),this.#t.send(JSON.stringify({t:"hello",...n}))},this.#t.onmessage=({data:l})=>this.#f(
l),this.#t.onclose=({code:l,reason:f})=>this.#b(tn(l,f,this.#i)),this.#t.onerror=()=>{}}).finally(()=>o.removeEventListener(
"abort",s))}#f(e){if(this.#a()){this.#d=this.#e.environment.now(),this.#e.beat();try{this.#l(wt(e),e)}catch(t){this.#b(t),
this.#t.close()}}}#l(e,t){switch(e.t){case"welcome":return this.#u(0,e);case"ping":return this.say({t:"pong"});case"drai\
n":this.#w(e);for(let n of this.#y())n.told(e,t);return;case"expiring":return this.#e.expiring(this);case"sub":{let n=this.#s.
get(e.id??-1);return!n||e.s===void 0?void 0:(this.#s.delete(e.id??-1),this.#o.set(e.s,n),n.told(e,t))}case"waiting":return this.#s.
get(e.id??-1)?.told(e,t);case"err":return this.#g(e,t);case"end":{let n=this.#o.get(e.s??-1);return this.#o.delete(e.s??
-1),e.why==="detached"&&e.code==="stopping"&&this.#w(e),n?.told(e,t)}case"data":case"live":case"gap":case"signal":case"p\
resence":return this.#o.get(e.s??-1)?.told(e,t);default:e.t==="page"&&(e.text=t),e.id!==void 0&&this.#u(e.id,e)}}#g(e,t){
let n=this.#s.get(e.id??-1);if(n)return this.#s.delete(e.id??-1),n.told(e,t);if(e.id===void 0)return this.#o.get(e.s??-1)?.
told(e,t);let o=this.#n.get(e.id);this.#n.delete(e.id),o?.reject(Pe(e))}#w(e){this.after=(e.after??0)*1e3,this.#e.changed(
this)}#u(e,t){let n=this.#n.get(e);this.#n.delete(e),n?.resolve(t)}*#y(){yield*[...this.#s.values(),...this.#o.values()]}#m(){
let{environment:e,silence:t}=this.#e,n=this.heartbeat||t/2.5;if(this.#c?.(),!n||this.ended)return;let o=t||n*2.5;this.#d=
e.now();let s=()=>{let i=e.now()-this.#d;if(i>=o){this.#b(new y("silent",`nothing was heard for ${Math.round(i)} ms`)),this.#t.
close();return}i>=n&&this.say({t:"ping"}),this.#c=e.timer(Math.min(n,o-i),s)};this.#c=e.timer(n,s)}#b(e){if(this.ended)return;
this.ended=e=this.#e.judge(e),this.#c?.();let t=[...this.#n.values()],n=[...this.#y()];this.#n.clear(),this.#s.clear(),this.#o.
clear(),this.#e.changed(this);for(let o of t)o.reject(e);for(let o of n)o.lost(e)}};function dn({now:r,timer:e,random:t,online:n,hidden:o,watch:s},i){let a=new Set,d={now:r,random:t,online:n,hidden:o,watch:s,
isSkipped:!1,get next(){return a.size?Math.min(...Array.from(a,({at:u})=>u)):null},end:()=>{for(let{end:u}of[...a])u()},
timer(u,l,f){if(f!=="pause")return e(u,l);let m=d.isSkipped?0:u,h=()=>{O(),a.delete(w),i()},w={at:r()+m,end:()=>(h(),l())},
O=e(m,w.end,f);return a.add(w),i(),h}};return d}W();J();he();X();ae();var pn={...Be,connectionWrites:()=>Promise.resolve().then(()=>(mn(),hn))},sr=class{root;#e;#t;#r;#n;#o;#s=new Set;#i;#d=new AbortController;#c=-1/0;#a;#h=-1/0;#f=0;#l=null;#g=new Map;#w=new Map;#u;#y=!1;#m="\
idle";#b="alone";#v={state:new Set,error:new Set,role:new Set,"sign-out":new Set};#k;#O;#p;#E=!1;#S=new AbortController;constructor(e,t){
this.root=String(e),this.#e=()=>an(e),this.#t=t,this.#r=dn(t.environment??De,()=>this.#T()),this.#n=ve(t.retry),this.#o=
z(this.#n,this.#r),t.signal?.addEventListener("abort",()=>this.close(),{once:!0}),t.signal?.aborted&&this.close()}stream(e,t={}){
let{environment:n=this.#r,retry:o=this.#t.retry,parts:s=this.#R.parts}=t,i=t.signal?AbortSignal.any([t.signal,this.#S.signal]):
this.#S.signal,a=yt(this.#e,e,this.#R);return pt(a,{...t,signal:i,environment:n,parts:s,...o===void 0?{}:{retry:o}})}get state(){
return this.#p?"closed":this.#u?.role==="follower"?this.#u.state:this.isOpen?"live":this.#i||this.#u&&!this.#u.role?"con\
necting":this.#s.size?"draining":this.#r.next===null?"idle":this.#r.online()?"waiting":"offline"}get role(){return this.#u?
this.#u.role??"follower":"alone"}get isOpen(){return[...this.#s].some(e=>e.isUsable)}get attempt(){return this.#f}get retryAt(){
return["waiting","offline","draining"].includes(this.state)?this.#r.next:null}get lastError(){return this.#l}on(e,t){return this.#v[e].
add(t),()=>this.#v[e].delete(t)}reconnect(){this.#u?.reconnect(),this.#r.isSkipped=!0,this.#c=-1/0,this.#r.end(),this.#H(
new y("network","reconnect() was called")),this.#i||this.#r.timer(0,()=>this.#r.isSkipped=!1)}close(){if(!this.#p){this.#p=
G("the connection was closed"),this.#u?.leave(),this.#S.abort(this.#p);for(let e of this.#w.values())e.end();this.#H(this.#p),
this.#k?.(),this.#O?.(),this.#x("state",this.#m="closed")}}async signOut(){!this.#p&&!this.#E&&this.#A()?.signOut(),await this.#D()}async[Symbol.
asyncDispose](){this.close()}async#D(){if(this.#E)return;this.#E=!0,this.close(),this.#w.clear();let e=await Promise.allSettled(
[...this.#v["sign-out"]].map(async t=>t(void 0)));for(let t of e)if(t.status==="rejected")throw t.reason}get#R(){let e=this;
return{environment:this.#r,retry:this.#n,get heartbeat(){return[...e.#s].at(-1)?.heartbeat??0},parts:this.#t.parts??pn,line:(t,n)=>this.#L(
t,n),limited:(t,n)=>this.#F(t,n),feed:t=>this.#W(t),live:t=>this.#U(t)}}#W(e){let t=this.#g.get(e);return t||this.#g.set(
e,t=new gt(e,this.#R)),t}#U(e){let t=this.#w.get(e);return t||this.#w.set(e,t=new bt(e,this.#R,()=>this.#W(e))),t}#A(){if(this.#y||
!this.#t.share)return this.#u;this.#y=!0;let e=this,t=Object.defineProperties(this.#R,{root:{value:this.#e()},state:{get:()=>e.
state},moved:{value:n=>this.#H(n)},reconnect:{value:()=>this.reconnect()},signedOut:{value:()=>{this.#D().catch(()=>{})}},
changed:{value:()=>this.#T()}});return this.#u=this.#t.share(t)}async#L(e,t){for(;;){if(this.#p)throw this.#p;if(t?.aborted)
throw t.reason;let n=await this.#A()?.line(t);if(n)return n;if(this.#p)throw this.#p;for(let o of this.#s)if(o.isUsable)
return o;if(!this.#u?.stale())try{let o=await(this.#i??=this.#B(e));if(o.ended)throw o.ended}catch(o){if(!o.facts?.moved)
throw o}}}async#F(e,t){let n,o=new Promise((s,i)=>{n=this.#r.timer(e,()=>i(new y("silent",`there was no answer within ${e}\
 ms`)))});return Promise.race([t,o]).finally(()=>n?.())}async#B(e){await null,this.#T();try{return await this.#P(e)}finally{
this.#i=void 0,this.#T()}}async#P(e){let t=this.#r.now();t<this.#c&&e!==this.#a&&await Qe(this.#r,this.#c-t,this.#S.signal),
this.#a=e,this.#I(),this.#r.isSkipped=!1,this.#f+=1;let n=!this.#o.count;this.#o.begin();try{let o=await vt.open({url:Object.
assign(this.#e(),{protocol:this.#e().protocol.replace(/^http/,"ws")}).href+"-/connect",socket:this.#t.socket??((s,i)=>new WebSocket(
s,i)),environment:this.#r,hello:{token:await this.#q(),name:this.#t.name},limit:this.#n.connect,silence:this.#n.silence,
signal:this.#d.signal,expiring:s=>{this.#_(s)},judge:s=>this.#$(s),changed:s=>this.#C(s),beat:()=>this.#u?.beat(),stale:()=>this.#u?.
stale()??!1});if(o.ended)throw o.ended;return this.#o.progress(),o}catch(o){if(o.facts?.moved)throw o;let s=this.#o.end(
{});throw this.#c=this.#r.now()+(s??this.#n.cap),n&&o.facts.opened===!1&&(this.#l=await this.#M(o)),this.#l??o}}#C(e){let{
ended:t}=e;t?(this.#s.delete(e),t.code!=="stopped"&&!t.facts.moved&&this.#x("error",this.#l=t)):(this.#s.add(e),this.#f=
0),this.#T()}#T(){let{state:e,role:t}=this;this.#O?.(),this.#O=void 0,!this.#p&&(t!==this.#b&&this.#x("role",this.#b=t),
e!==this.#m&&(e==="idle"?this.#O=this.#r.timer(0,()=>this.#N(this.state)):this.#N(e)))}#N(e){e!==this.#m&&(this.#m=e,this.#u?.
changed(),this.#x("state",e))}#x(e,t){for(let n of this.#v[e])n(t)}#H(e){this.#d.abort(e),this.#d=new AbortController;for(let t of this.#s)
t.close(e)}#I(){this.#k??=this.#r.watch(e=>this.#j(e))}#j(e){if(e==="freeze"&&!this.#u&&this.#H(new y("network","the pag\
e is put aside")),e==="online"||e==="visible"||e==="resume")for(let t of this.#s)t.heartbeat&&t.quiet>t.heartbeat*1.2&&t.
close(new y("silent",`nothing was heard for ${Math.round(t.quiet)} ms`));this.#T()}async#M(e){let t=mt(this.#t.parts??pn),
n=tt({...this.#t.fetch?{fetch:this.#t.fetch}:{}},this.#r);try{let o=await n.send({url:`${this.#e().href}-/connect`,limit:this.#n.
connect}),s=o.response.status===426?e:await t(o.response);return o.release(),s}catch{return e}}#$(e){let t=this.#r.now();
return e.status!==401||typeof this.#t.token!="function"||t-this.#h<this.#n.stable?e:(this.#h=t,new y("network","access h\
as ended; another token will be shown",{cause:e}))}async#q(){let{token:e}=this.#t;return typeof e=="function"?e():e}async#_(e){
if(typeof this.#t.token=="function")try{await e.ask({t:"auth",token:await this.#q()})}catch{}}};function mo(r,e={}){return new sr(
r,e)}W();Je();var wn={facts:{moved:!0}};W();Ne();W();var kt=class{heartbeat;isFar=!0;ended;#e;#t;#r=1;#n=new Map;#o=new Map;constructor(e,t,n){this.#e=e,this.heartbeat=
t,this.#t=o=>this.ended||n(o)}ask(e,t){if(this.ended)return Promise.reject(this.ended);let n=this.#r++;return new Promise(
(o,s)=>{this.#n.set(n,{resolve:o,reject:s}),this.#t({t:"ask",tab:this.#e,n,text:JSON.stringify(e),raw:t})})}say(e){e.t!==
"ack"&&this.#t({t:"say",tab:this.#e,text:JSON.stringify(e)})}follow(e,t){if(this.ended)return e.lost(this.ended);this.#o.
set(e.path,e),this.#t({t:"follow",tab:this.#e,path:e.path,live:t.presence===!0,envelope:t.envelope===!0})}leave(e){this.#o.
get(e.path)===e&&(this.#o.delete(e.path),this.#t({t:"leave",tab:this.#e,path:e.path}))}close(e){if(this.ended)return;this.
ended=e;let t=[...this.#n.values()],n=[...this.#o.values()];this.#n.clear(),this.#o.clear();for(let{reject:o}of t)o(e);for(let o of n)
o.lost(e)}hear(e){if(e.t==="answer"){let n=e.tab===this.#e?this.#n.get(e.n):void 0;if(!n)return;this.#n.delete(e.n),e.error?
n.reject(At(e.error)):n.resolve(e.told);return}let t=this.#o.get(e.path);if(e.t==="told")return t?.told(wt(e.text),e.text);
this.#o.delete(e.path),t?.lost(At(e.error))}};W();var ir=class{wish;mark;isEager=!0;tabs;who;#e;#t;#r;constructor(e,t,n,o,s){this.wish={from:"now",wait:!0,buffer:65536,...t},
this.tabs=n,this.who=[...n].join(),this.#e=e,this.#t=o,this.#r=s}told(e,t){this.#t({t:"told",path:this.#e,text:t||JSON.stringify(
e)}),(e.t==="end"||e.t==="drain"||e.t==="err"&&e.id!==void 0)&&this.#r(this)}lost(e){this.#r(this),e.facts.moved||this.#t(
{t:"lost",path:this.#e,error:Rt(e)})}},Ot=class{#e;#t;#r=!1;#n=new Map;#o=new Map;#s=new Map;#i=new Set;#d;constructor(e,t,n){
this.#e=e,this.#t=o=>this.#r||t(o),this.#d=n}hear(e){let{tab:t}=e;switch(this.#i.has(t)||(this.#i.add(t),this.#d(t,()=>this.#y(
t))),e.t){case"ask":return void this.#c(e);case"say":return void this.#a(t,JSON.parse(e.text));case"follow":return this.#g(
e);case"leave":return this.#w(t,e.path);default:this.#e.reconnect()}}end(){this.#r=!0;for(let e of[...this.#n.values()])
this.#u(e)}async#c({tab:e,n:t,text:n,raw:o}){try{let s=JSON.parse(n),i=await this.#e.line(void 0);if(this.#r)return;this.#t(
{t:"answer",tab:e,n:t,told:await i.ask(s.t==="here"?this.#f(e,s):s,o)})}catch(s){this.#t({t:"answer",tab:e,n:t,error:Rt(
s)})}}async#a(e,t){(t.t!=="here"||this.#l(e,t.path))&&await this.#h(t)}async#h(e){let t=await this.#e.line(void 0).catch(
()=>{});this.#r||t?.say(e)}#f(e,t){let n=t.path,o=this.#e.live(n),s=this.#s.get(n)??new Set,{key:i,member:a,...d}=t,u=s.
size>0||o.isMember;return this.#s.set(n,s.add(e)),o.others=()=>s.size>0,u?d:t}#l(e,t){let n=this.#s.get(t);return n?.delete(
e)===!0&&!n.size&&!this.#e.live(t).isMember}#g({tab:e,path:t,live:n,envelope:o=!1}){let s=this.#e.feed(t),i=this.#n.get(
t);if(i&&(i.wish.live||!n)&&(i.wish.envelope||!o))i.tabs.add(e),s.greet(i);else{let d=(i?.tabs??new Set).add(e),u={live:n||
i?.wish.live===!0,envelope:o||i?.wish.envelope===!0},l=new ir(t,u,d,this.#t,f=>this.#u(f,t));this.#n.set(t,l),n&&!this.#o.
has(t)&&this.#o.set(t,this.#e.live(t).hold()),s.attach(l),i&&s.detach(i)}if(!n)return;let{roster:a}=this.#e.live(t);a.count&&
this.#t({t:"told",path:t,text:JSON.stringify(a)})}#w(e,t){let n=this.#n.get(t);n?.tabs.delete(e),n&&!n.tabs.size&&this.#u(
n,t)}#u(e,t=[...this.#n].find(([,n])=>n===e)?.[0]){t===void 0||this.#n.get(t)!==e||(this.#n.delete(t),this.#e.feed(t).detach(
e),this.#o.get(t)?.(),this.#o.delete(t))}#y(e){this.#i.delete(e);for(let t of[...this.#n.keys()])this.#w(e,t);for(let t of this.#s.
keys())this.#l(e,t)&&this.#h({t:"here",path:t,state:null})}};var po=15e3,yn=1.2,gn=1e3,ar=.7,wo=.1,xt=()=>new y("network","another tab has the connection now",wn),bn=()=>G("the conn\
ection was closed"),Et=class{role;#e;#t;#r;#n;#o;#s;#i;#d=0;#c="connecting";#a=po;#h=0;#f=0;#l=new AbortController;#g=new AbortController;#w;#u=[];#y;#m;#b=!1;#v=Date.
now();constructor(e,t,n,o){this.#e=e,this.#t=t,this.#r=n,this.#n=o,this.#m=e.environment.watch(s=>{s==="freeze"?this.#L(
xt()):s==="resume"&&this.#l.signal.aborted?this.#k():s==="visible"&&this.#x()}),this.#k()}get state(){return this.#c}async line(e){
for(;!this.role;){if(this.#b||e?.aborted)throw bn();await new Promise(t=>{this.#u.push(t),e?.addEventListener("abort",()=>t(),
{once:!0})})}if(this.role==="follower"){if(!this.#i||this.#i.ended){let t=this.#d;this.#i=new kt(this.#r,this.#a,n=>this.#P(
{...n,term:t}))}return this.#i}}stale(){let e=this.#a*yn+gn*ar*.9;return!this.#s||this.#e.environment.now()-this.#f<=e?!1:
(this.#L(xt()),this.#k(),!0)}beat(){this.#e.environment.now()-this.#f>=this.#a*wo&&this.#C()}changed(){this.#C()}reconnect(){
this.role==="follower"&&this.#P({t:"reconnect",tab:this.#r,term:this.#d})}signOut(){this.#P({t:"out"}),this.#U("/out",Date.
now())}leave(){this.#b=!0,this.#m(),this.#L(bn())}#k(){if(this.#b)return;let{signal:e}=this.#l=new AbortController,t=()=>new Promise(
n=>{if(e.aborted)return n();e.addEventListener("abort",()=>n()),this.#O()});this.#n.locks.request(this.#p(this.#r),{signal:e},
t).catch(n=>{!e.aborted&&n.name!=="AbortError"&&this.#F("alone")})}#O(){if(this.#W("/out")>=this.#v)return this.#e.signedOut();
this.#o=this.#n.channel(this.#t),this.#o.onmessage=({data:e})=>this.#T(e),this.#h=this.#e.environment.now(),this.#E(),this.#P(
{t:"who"})}#p(e){return`${this.#t}/${e}`}#E(){this.#g=new AbortController,this.#S({signal:this.#g.signal}),this.#x()}#S(e){
let{signal:t}=this.#l,n=!1,o=()=>new Promise(s=>{if(t.aborted)return s();n=!0,this.#w=s,this.#D()});this.#n.locks.request(
this.#t,e,o).catch(()=>{!n||t.aborted||(this.#A(),this.#E())})}#D(){this.#d=this.#R();let{signal:e}=this.#l;this.#f=this.#e.
environment.now();let t=this.#d,n=(o,s)=>{this.#n.locks.request(this.#p(o),{signal:e},s).catch(()=>{})};this.#s=new Ot(this.#e,
o=>this.#P({...o,term:t}),n),this.#F("leader"),this.#C()}#R(){let e=Math.max(this.#d+1,Date.now(),this.#W("")+1);return this.#U(
"",e),e}#W(e){try{return Number(this.#n.terms().getItem(this.#t+e))}catch{return 0}}#U(e,t){try{this.#n.terms().setItem(
this.#t+e,String(t))}catch{}}#A(){this.#s&&(this.#s.end(),this.#s=void 0,this.role=void 0,this.#e.moved(xt()),this.#w?.())}#L(e){
this.#l.abort(),this.#g.abort(),this.#A(),this.#y?.(),this.role=void 0,this.#i?.close(e),this.#o?.close(),this.#o=void 0,
this.#b&&this.#B(),this.#e.changed()}#F(e){this.role=e;let t=this.#i;this.#i=void 0,t?.close(xt()),this.#B(),this.#x(),this.#e.
changed()}#B(){for(let e of this.#u.splice(0))e()}#P(e){this.#o?.postMessage(e)}#C(){if(!this.#s||this.stale())return;let{
environment:e,state:t,heartbeat:n}=this.#e;this.#a=n||this.#a,this.#f=e.now(),this.#P({t:"lead",term:this.#d,state:t,heartbeat:this.#a})}#T(e){
if(e.t==="out")return this.#e.signedOut();if(e.t==="who")return this.#C();if(!(e.term<this.#d)&&(e.t==="lead"&&this.#N(e),
e.term===this.#d)){if(e.t==="answer"||e.t==="told"||e.t==="lost")this.#i?.hear(e);else if(e.t!=="lead")return this.#s?.hear(
e);this.#h=this.#e.environment.now()}}#N({term:e,state:t,heartbeat:n}){let o=e>this.#d||!this.role;if(!(e===this.#d&&this.#s)){
if(this.#d=e,this.#c=t,this.#a=n,!o)return this.#e.changed();this.#A(),this.#F("follower")}}#x(){if(this.#y?.(),!this.#o||
this.role==="leader"||this.role==="alone")return;let{environment:e}=this.#e,t=this.#a*yn,n=()=>(this.#h=Math.min(this.#h,
e.now()),e.now()-this.#h);n()<t?this.#y=e.timer(t-n(),()=>this.#x()):e.hidden()?this.#y=e.timer(t,()=>this.#x()):(this.#P(
{t:"who"}),this.#y=e.timer(gn*(ar+(1-ar)*e.random()),()=>{n()>=t&&this.#H(),this.#x()}))}#H(){this.#g.abort(),this.#h=this.#e.
environment.now(),this.#S({steal:!0})}};function yo(){let{navigator:r,BroadcastChannel:e}=globalThis,t=r?.locks;if(!(!t||!e))return{locks:t,channel:n=>new e(n),
terms:()=>localStorage}}function go(r){let{user:e,platform:t}=r;if(!e)throw new y("bad-request","tabs that share a conne\
ction have a user");return n=>{let o=t??yo();return o&&new Et(n,`headwater/1/${n.root.href}/${encodeURIComponent(e)}`,ge(),
o)}}export{mo as connect,Xr as stream,go as tabs};
